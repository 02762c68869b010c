"""Reporting hears everyone: each event is kept, and its facts are drawn from it."""

from collections.abc import Callable, Sequence

from services.reporting.views.facts import StaffRow, StoreRow, TrimRow, lead_fact, sale_fact, staff, stage_fact, stay_fact, stores, trims
from services.reporting.views.heard import log
from shared.bus.heard import Effect, Heard
from shared.contracts import gateway, inventory
from shared.views.table import Put

_FACTS: dict[str, tuple[Callable[[Heard], Sequence[Effect]], ...]] = {
    "leads": (lead_fact, stage_fact),
    "inventory": (stay_fact,),
    "orders": (sale_fact,),
    "finance": (sale_fact,),
}
"""What may be drawn from the events of a context."""


def listen(heard: Heard) -> list[Effect]:
    """The event itself and its facts; names for what the facts refer to."""
    effects: list[Effect] = [log(heard)]
    for fact in _FACTS.get(heard.source, ()):
        effects += fact(heard)
    match heard.event:
        case gateway.StoreOpened() as e:
            row = StoreRow(store_id=e.store_id, code=e.code, name=e.name, entity_id=e.entity_id, region=e.region, timezone=e.timezone)
            effects.append(Put(stores, row))
        case gateway.StaffAssigned() as e:
            effects.append(Put(staff, StaffRow(staff_id=e.staff_id, name=e.name)))
        case inventory.TrimListed() as e:
            effects.append(Put(trims, TrimRow(trim_id=e.trim_id, brand=e.brand, series=e.series, name=e.name)))
    return effects
