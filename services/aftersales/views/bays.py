"""The bays of each store's workshop."""

from fastapi import APIRouter

from services.aftersales.domain.bay import BayClosed, BayOpened, Event
from shared.decider import message, replace
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of

router = APIRouter(route_class=CommandRoute)


@message
class BayRow:
    bay_id: str
    store_id: str
    name: str
    open: bool
    version: int


bays = Table("bays", 1, BayRow, key=("bay_id",), indexes=("store_id, name, bay_id",))


def apply(row: BayRow | None, recorded: Recorded[Event]) -> BayRow | None:
    """The bay's row after an event."""
    match recorded.event:
        case BayOpened(bay_id=bay_id, store_id=store_id, name=name):
            return BayRow(bay_id=bay_id, store_id=store_id, name=name, open=True, version=recorded.version)
        case BayClosed() if row:
            return replace(row, open=False, version=recorded.version)
        case _:
            return row


bay_list = Fold(bays, apply)


@router.get(
    "/service-bays",
    summary="The bays of the workshops",
    response_model=page_of("Bay", BayRow),
    openapi_extra=needs("service.book", "service.read"),
)
async def list_bays(call: Call, paging: Paging, store_id: Id | None = None) -> Page:
    """By name; closed ones too."""
    return await page(call, bays, paging, order="name, bay_id", where={"store_id": store_id})
