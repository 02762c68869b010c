"""What marketing tells: campaigns, what they spend and what they are credited with."""

from datetime import date

from shared.contracts import published
from shared.values.money import Money


@published("marketing.CampaignApproved")
class CampaignApproved:
    campaign_id: str
    name: str
    kind: str
    store_id: str
    entity_id: str
    starts_on: date
    ends_on: date
    budget: Money


@published("marketing.CampaignSpent")
class CampaignSpent:
    campaign_id: str
    spend_id: str
    store_id: str
    entity_id: str
    supplier: str
    amount: Money


@published("marketing.CampaignCredited")
class CampaignCredited:
    campaign_id: str
    order_id: str
    vin: str
    model: str
    """The attribution model, such as `first-touch`."""
    revenue: Money
