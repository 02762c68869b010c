"""Composition root of reporting."""

from services.reporting import api
from services.reporting.listens import listen
from services.reporting.upcasts import stored
from services.reporting.views.facts import lead_facts, sale_facts, staff, stage_facts, stay_facts, stores, trims
from services.reporting.views.heard import heard_events
from shared.service import Service

service = Service(
    context="reporting",
    stored=stored,
    tables=(heard_events, lead_facts, stage_facts, stay_facts, sale_facts, trims, stores, staff),
    topics=("gateway", "leads", "customers", "marketing", "inventory", "orders", "finance", "aftersales"),
    listen=listen,
    routers=(api.router,),
)
