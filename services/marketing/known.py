"""What marketing knows of others: legal entities, stores, colleagues, and which touches name a campaign."""

from datetime import datetime

from shared.decider import message
from shared.views.table import Table


@message
class KnownEntity:
    entity_id: str
    currency: str


@message
class KnownStore:
    store_id: str
    code: str
    name: str
    entity_id: str
    timezone: str


@message
class KnownStaff:
    staff_id: str
    store_ids: tuple[str, ...]
    enabled: bool = True


@message
class Touch:
    """One touch of a lead by a campaign; `first` is the lead's first, which is the one that counts as a lead."""

    touch_id: str
    campaign_id: str
    lead_id: str
    first: bool
    touched_at: datetime


entities_known = Table("entities_known", 1, KnownEntity, key=("entity_id",), store=None)
stores_known = Table("stores_known", 1, KnownStore, key=("store_id",), store=None)
staff_known = Table("staff_known", 1, KnownStaff, key=("staff_id",), store=None)
touches = Table("touches", 1, Touch, key=("touch_id",), store=None, indexes=("campaign_id",))

TABLES = (entities_known, stores_known, staff_known, touches)
