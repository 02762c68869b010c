"""Reporting hears everyone: each event is kept, its facts are drawn from it, and what they make of leads and opportunities."""

from collections.abc import Sequence

from services.reporting.views import standing
from services.reporting.views.facts import (
    StaffRow,
    StoreRow,
    TrimRow,
    lead_fact,
    lead_facts,
    sale_fact,
    sale_facts,
    staff,
    stage_fact,
    stage_facts,
    stay_fact,
    stay_facts,
    stores,
    trims,
)
from services.reporting.views.heard import log
from shared.bus.heard import Effect, Heard
from shared.contracts import gateway, inventory
from shared.views.table import Put, Table


def listen(heard: Heard) -> list[Effect]:
    """The event itself and what is drawn from it; names for what the facts refer to."""
    effects: list[Effect] = [log(heard)]
    match heard.source:
        case "leads":
            moved, entered = lead_fact(heard), stage_fact(heard)
            effects += [*_kept(lead_facts, moved), *standing.lead_moved(moved)]
            effects += [*_kept(stage_facts, entered), *standing.opportunity_moved(entered)]
        case "inventory":
            effects += _kept(stay_facts, stay_fact(heard))
        case "orders" | "finance":
            effects += _kept(sale_facts, sale_fact(heard))
    match heard.event:
        case gateway.StoreOpened() as e:
            row = StoreRow(store_id=e.store_id, code=e.code, name=e.name, entity_id=e.entity_id, region=e.region, timezone=e.timezone)
            effects.append(Put(stores, row))
        case gateway.StaffAssigned() as e:
            effects.append(Put(staff, StaffRow(staff_id=e.staff_id, name=e.name)))
        case inventory.TrimListed() as e:
            effects.append(Put(trims, TrimRow(trim_id=e.trim_id, brand=e.brand, series=e.series, name=e.name)))
    return effects


def _kept[R](table: Table[R], facts: Sequence[R]) -> list[Put[R]]:
    return [Put(table, fact) for fact in facts]
