"""Which store a vendor's feed belongs to: the connector's setting."""

from datetime import datetime

from shared.decider import Decider, message


@message
class MapVendor:
    """`region` (ISO 3166) is the country whose customs the vendor's telephone numbers follow."""

    vendor: str
    store_id: str
    region: str
    by: str
    at: datetime
    campaign_id: str | None = None
    """The campaign that pays for the feed, if one does: its leads are credited to it."""


@message
class VendorMapped:
    vendor: str
    store_id: str
    region: str
    by: str
    campaign_id: str | None = None


@message
class Vendor:
    store_id: str | None = None
    region: str = ""
    campaign_id: str | None = None


def decide(command: MapVendor, state: Vendor) -> list[VendorMapped]:
    """A setting replaces the one before."""
    if Vendor(store_id=command.store_id, region=command.region, campaign_id=command.campaign_id) == state:
        return []
    return [
        VendorMapped(
            vendor=command.vendor,
            store_id=command.store_id,
            region=command.region,
            by=command.by,
            campaign_id=command.campaign_id,
        )
    ]


def evolve(state: Vendor, event: VendorMapped) -> Vendor:
    """The state after one more event."""
    return Vendor(store_id=event.store_id, region=event.region, campaign_id=event.campaign_id)


def vendor_key(name: str) -> str:
    """How vendors are told apart: without case or spare blanks."""
    return " ".join(name.split()).casefold()


vendor = Decider[MapVendor, Vendor, VendorMapped](Vendor(), decide, evolve)
