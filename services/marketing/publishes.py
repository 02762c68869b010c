"""What marketing tells the other contexts of its private events."""

from typing import Any

from services.marketing.domain.campaign import Absent, CampaignApproved, CampaignSpent, Event, State
from services.marketing.domain.credit import Credit, OrderCredited
from shared.contracts import marketing as public


def publish_campaign(event: Event, state: State) -> list[Any]:
    """That a campaign may run, and what it spends."""
    if isinstance(state, Absent):
        return []
    match event:
        case CampaignApproved():
            return [
                public.CampaignApproved(
                    campaign_id=state.campaign_id,
                    name=state.plan.name,
                    kind=state.plan.kind,
                    store_id=state.store_id,
                    entity_id=state.entity_id,
                    starts_on=state.plan.starts_on,
                    ends_on=state.plan.ends_on,
                    budget=state.plan.budget,
                )
            ]
        case CampaignSpent(spend_id=spend_id, supplier=supplier, amount=amount):
            return [
                public.CampaignSpent(
                    campaign_id=state.campaign_id,
                    spend_id=spend_id,
                    store_id=state.store_id,
                    entity_id=state.entity_id,
                    supplier=supplier,
                    amount=amount,
                )
            ]
        case _:
            return []


def publish_credit(event: OrderCredited, state: Credit) -> list[Any]:
    """Which campaign an order is owed to, and by which model."""
    return [
        public.CampaignCredited(
            campaign_id=event.campaign_id, order_id=event.order_id, vin=event.vin, model=event.model, revenue=event.revenue
        )
    ]
