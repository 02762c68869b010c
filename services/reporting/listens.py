"""Reporting hears everyone: each event is kept, and its facts are drawn from it."""

from services.reporting.views.facts import StaffRow, StoreRow, TrimRow, lead_fact, sale_fact, staff, stage_fact, stay_fact, stores, trims
from services.reporting.views.heard import log
from shared.bus.heard import Effect, Heard
from shared.contracts import gateway, inventory
from shared.views.table import Put


def listen(heard: Heard) -> list[Effect]:
    """The event itself and its facts; names for what the facts refer to."""
    effects: list[Effect] = [log(heard), *lead_fact(heard), *stage_fact(heard), *stay_fact(heard), *sale_fact(heard)]
    match heard.event:
        case gateway.StoreOpened() as e:
            row = StoreRow(store_id=e.store_id, code=e.code, name=e.name, entity_id=e.entity_id, region=e.region, timezone=e.timezone)
            effects.append(Put(stores, row))
        case gateway.StaffAssigned() as e:
            effects.append(Put(staff, StaffRow(staff_id=e.staff_id, name=e.name)))
        case inventory.TrimListed() as e:
            effects.append(Put(trims, TrimRow(trim_id=e.trim_id, brand=e.brand, series=e.series, name=e.name)))
    return effects
