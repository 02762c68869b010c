"""Composition root of marketing."""

from services.marketing import api
from services.marketing.domain.campaign import campaign
from services.marketing.domain.credit import credit
from services.marketing.known import TABLES
from services.marketing.listens import listen
from services.marketing.publishes import publish_campaign, publish_credit
from services.marketing.upcasts import stored
from services.marketing.views import campaigns, credits
from shared.deciding import Aggregate
from shared.service import Service

service = Service(
    context="marketing",
    stored=stored,
    aggregates=(
        Aggregate("campaign", campaign, views=(campaigns.campaign_book,), publish=publish_campaign),
        Aggregate("credit", credit, views=(credits.credit_book,), publish=publish_credit),
    ),
    tables=TABLES,
    topics=("gateway", "leads", "orders"),
    listen=listen,
    routers=(api.router, campaigns.router),
)
