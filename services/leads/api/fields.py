"""What the bodies of leads' requests have in common."""

from typing import Annotated, Literal

from pydantic import Field

from services.leads.domain.grading import Interest
from shared.web.body import Body, Clean, Instant, PositiveAmount, Text

Channel = Literal[
    "walk-in", "phone", "website", "mini-program", "auto-show", "ad", "social", "third-party", "referral", "campaign", "partner"
]
Doubt = Literal["price", "range", "delivery", "trade-in", "finance", "quality", "competitor", "family", "other"]
Word = Annotated[str, Clean(most=80, example="Lavida")]
"""A short line, may be empty."""
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["CN"])]
"""A country by its two letters (ISO 3166)."""


class Facts(Body):
    """What is known of the interest."""

    intent: Literal["order", "buy", "test-drive", "compare", "browse"] = "browse"
    budget: PositiveAmount | None = None
    within_days: Annotated[int, Field(ge=0, le=3650, examples=[7])] | None = None

    def interest(self) -> Interest:
        """As the grading rules read it."""
        return Interest(intent=self.intent, budget=self.budget, within_days=self.within_days)


class FollowUp(Body):
    """A contact: what was said, which doubts there were, what comes next."""

    kind: Literal["phone", "visit", "wechat", "sms", "email"]
    text: Text
    doubts: list[Doubt] = Field(default_factory=list, max_length=9)
    plan: Text = ""
    next_at: Instant | None = None
