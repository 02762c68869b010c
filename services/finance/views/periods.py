"""Which months of a legal entity's books are closed."""

from datetime import datetime

from fastapi import APIRouter

from services.finance.domain.period import Event, PeriodClosed
from shared.decider import message
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import Id
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of

router = APIRouter(route_class=CommandRoute)


@message
class PeriodRow:
    entity_id: str
    period: str
    closed: bool
    by: str
    at: datetime
    version: int


periods = Table("periods", 1, PeriodRow, key=("entity_id", "period"), store=None)


def apply(row: PeriodRow | None, recorded: Recorded[Event]) -> PeriodRow:
    """The period's row after an event."""
    event = recorded.event
    return PeriodRow(
        entity_id=event.entity_id,
        period=event.period,
        closed=isinstance(event, PeriodClosed),
        by=event.by,
        at=recorded.occurred_at,
        version=recorded.version,
    )


period_book = Fold(periods, apply)


@router.get(
    "/periods", summary="Periods that were closed", response_model=page_of("Period", PeriodRow), openapi_extra=needs("finance.read")
)
async def list_periods(call: Call, paging: Paging, entity_id: Id | None = None) -> Page:
    """Newest first; a period that is not listed was never closed."""
    return await page(call, periods, paging, order="period desc, entity_id desc", where={"entity_id": entity_id})
