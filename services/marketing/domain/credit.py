"""The credit for one delivered order: which campaign brought it, by a named model of attribution. One order is credited once."""

from datetime import datetime

from shared.decider import Decider, message
from shared.values.money import Money

FIRST_TOUCH = "first-touch"
"""The campaign of the person's first touch, which lead, opportunity and order carry along, gets the whole order."""


@message
class CreditOrder:
    """`revenue` is the order's gross price."""

    order_id: str
    campaign_id: str
    vin: str
    revenue: Money
    at: datetime


@message
class OrderCredited:
    order_id: str
    campaign_id: str
    vin: str
    model: str
    revenue: Money


@message
class Credit:
    campaign_id: str | None = None


def decide(command: CreditOrder, state: Credit) -> list[OrderCredited]:
    """The whole order to the campaign of the first touch; [] when it is credited already."""
    if state.campaign_id is not None:
        return []
    return [
        OrderCredited(
            order_id=command.order_id,
            campaign_id=command.campaign_id,
            vin=command.vin,
            model=FIRST_TOUCH,
            revenue=command.revenue,
        )
    ]


def evolve(state: Credit, event: OrderCredited) -> Credit:
    """The credit after an event."""
    return Credit(campaign_id=event.campaign_id)


credit = Decider[CreditOrder, Credit, OrderCredited](Credit(), decide, evolve)
