"""Stored names of marketing's events and timer commands, and the upcasts of older shapes."""

from services.marketing.domain.campaign import (
    CampaignApproved,
    CampaignCancelled,
    CampaignDeclined,
    CampaignFinished,
    CampaignPlanned,
    CampaignSpent,
    CampaignStarted,
    CampaignSubmitted,
    OverspendDeclined,
    OverspendRequested,
    PlanRevised,
    StartCampaign,
)
from services.marketing.domain.credit import OrderCredited
from shared.events.registry import Registry

stored = Registry(
    "marketing",
    {
        "CampaignPlanned": CampaignPlanned,
        "PlanRevised": PlanRevised,
        "CampaignSubmitted": CampaignSubmitted,
        "CampaignApproved": CampaignApproved,
        "CampaignDeclined": CampaignDeclined,
        "CampaignStarted": CampaignStarted,
        "CampaignSpent": CampaignSpent,
        "OverspendRequested": OverspendRequested,
        "OverspendDeclined": OverspendDeclined,
        "CampaignFinished": CampaignFinished,
        "CampaignCancelled": CampaignCancelled,
        "OrderCredited": OrderCredited,
    },
    upcasts={},
    commands={"StartCampaign": StartCampaign},
)
