"""Which orders are credited to which campaign."""

from datetime import datetime

from services.marketing.domain.credit import OrderCredited
from shared.decider import message
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table


@message
class CreditRow:
    """`revenue` in minor units; of every store, because a campaign is credited wherever its customers buy."""

    order_id: str
    campaign_id: str
    vin: str
    model: str
    revenue: int
    currency: str
    credited_at: datetime


credits = Table("credits", 1, CreditRow, key=("order_id",), store=None, indexes=("campaign_id",))


def apply(row: CreditRow | None, recorded: Recorded[OrderCredited]) -> CreditRow:
    """The order's row."""
    event = recorded.event
    return CreditRow(
        order_id=event.order_id,
        campaign_id=event.campaign_id,
        vin=event.vin,
        model=event.model,
        revenue=event.revenue.minor,
        currency=event.revenue.currency,
        credited_at=recorded.occurred_at,
    )


credit_book = Fold(credits, apply)
