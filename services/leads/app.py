"""Composition root of leads."""

from services.leads import known
from services.leads.api import drives as drives_api
from services.leads.api import intake
from services.leads.api import leads as leads_api
from services.leads.api import opportunities as opportunities_api
from services.leads.domain.drive import Drive, test_drive
from services.leads.domain.drive import State as DriveState
from services.leads.domain.lead import lead
from services.leads.domain.lead.messages import RouteLead
from services.leads.domain.lead.state import Lead
from services.leads.domain.lead.state import State as LeadState
from services.leads.domain.opportunity import Opportunity, opportunity
from services.leads.domain.opportunity import State as OpportunityState
from services.leads.domain.rules import grading
from services.leads.domain.vendor import vendor
from services.leads.listens import listen
from services.leads.prepare import route
from services.leads.publishes import publish_drive, publish_lead, publish_opportunity
from services.leads.upcasts import stored
from services.leads.views import drives, opportunities, pipeline, settings, timeline
from shared.deciding import Aggregate
from shared.service import Service


def stores(state: LeadState | OpportunityState | DriveState) -> list[str]:
    """The store whose staff may act on it; a lead of no store is for those who see every store."""
    return [state.store_id] if isinstance(state, Lead | Opportunity | Drive) and state.store_id else []


service = Service(
    context="leads",
    stored=stored,
    aggregates=(
        Aggregate("lead", lead, views=(pipeline.pipeline, timeline.lead_entries), publish=publish_lead, stores=stores),
        Aggregate(
            "opportunity",
            opportunity,
            views=(opportunities.opportunities, timeline.opportunity_entries),
            publish=publish_opportunity,
            stores=stores,
        ),
        Aggregate("testdrive", test_drive, views=(drives.drives,), publish=publish_drive, stores=stores),
        Aggregate("vendor", vendor, views=(settings.vendors,)),
        Aggregate("grading", grading, views=(settings.gradings,)),
    ),
    tables=(known.stores, known.staff, known.shifts, known.campaigns, known.cars, known.customers),
    topics=("gateway", "orders", "marketing", "customers", "inventory"),
    listen=listen,
    prepare={RouteLead: route},
    routers=(
        leads_api.router,
        intake.router,
        opportunities_api.router,
        drives_api.router,
        settings.router,
        pipeline.router,
        opportunities.router,
        drives.router,
        timeline.router,
    ),
    vault=True,
)
