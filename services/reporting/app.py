"""Composition root of reporting."""

from services.reporting import api
from services.reporting.listens import listen
from services.reporting.upcasts import stored
from services.reporting.views.facts import lead_facts, sale_facts, staff, stage_facts, stay_facts, stores, trims
from services.reporting.views.heard import again, heard_events
from services.reporting.views.standing import lead_states, opportunity_states
from shared.service import Log, Service

service = Service(
    context="reporting",
    stored=stored,
    tables=(heard_events, lead_facts, stage_facts, stay_facts, sale_facts, lead_states, opportunity_states, trims, stores, staff),
    topics=("gateway", "leads", "customers", "marketing", "inventory", "orders", "finance", "aftersales"),
    listen=listen,
    log=Log(heard_events, again),
    routers=(api.router,),
)
