"""The funnel counts most leads by their state, and those who moved since its moment by their facts: both must say the same."""

import random
from datetime import datetime
from typing import Any

from services.reporting.tests.heads import DAY, MARCH, S1, S2, Heads
from services.reporting.tests.test_reports import LEAD, SEALED, captured, counted
from services.reporting.views import funnel
from services.reporting.views.facts import STAGES
from shared.contracts import leads

DAYS, HALF = range(1, 25), 13
A_DAY = 12
ASKED: dict[str, Any] = {"since": MARCH - DAY, "until": MARCH + 31 * DAY, "store_id": None}


async def test_a_funnel_as_of_then_is_what_it_was_then(heads: Heads) -> None:
    dice, group = random.Random(7), Group()
    for day in DAYS:
        for _ in range(A_DAY):
            at = MARCH + day * DAY - dice.random() * 3 * DAY
            store, events = group.next(dice, at)
            await heads.hear(at, *events, recorded=MARCH + day * DAY, store_id=store)
        if day == HALF:
            then = await figures(heads, day)
    now = await figures(heads, DAYS[-1])
    assert await figures(heads, HALF) == then
    assert sum(stage["reached"] for stage in now["channel", "*"][0]["stages"]) > 50
    async with heads.store.pool.connection() as connection:
        await connection.execute("update lead_states_1 set recorded_at = 'infinity'")
    assert await figures(heads, DAYS[-1]) == now


async def figures(heads: Heads, day: int) -> dict[tuple[str, str], Any]:
    """The funnel as of a day by everything, as everybody sees it, and the leads behind it."""
    found = {(by, stores): await counted(heads, by, stores, day + 0.5) for by in funnel.DIMENSIONS for stores in ("*", S1, S2)}
    behind = await heads.ask(funnel.WHICH, **ASKED, as_of=MARCH + (day + 0.5) * DAY, rank=0)
    return found | {("behind", "*"): behind}


class Group:
    """Leads and their opportunities, and what may happen to them next."""

    def __init__(self) -> None:
        self.leads: dict[str, tuple[str | None, datetime]] = {}
        self.opportunities: set[str] = set()

    def next(self, dice: random.Random, at: datetime) -> tuple[str | None, list[Any]]:
        """Where and what: a new lead, else something of an old one."""
        if not self.leads or dice.random() < 0.15:
            id = f"l{len(self.leads)}"
            self.leads[id] = dice.choice([S1, S2, None]), at
            return self.leads[id][0], [captured(id, self.leads[id][0])]
        id = dice.choice(list(self.leads))
        store, captured_at = self.leads[id]
        if store is None:
            self.leads[id] = S2, captured_at
            return S2, [leads.LeadPlaced(lead_id=id, store_id=S2, series="A5", grade=dice.choice("HAB"), captured_at=captured_at, **LEAD)]
        return store, self._opportunity(dice, id) if id in self.opportunities else self._lead(dice, id, store, at)

    def _lead(self, dice: random.Random, id: str, store: str, at: datetime) -> list[Any]:
        if dice.random() < 0.2:
            self.opportunities.add(id)
            about: dict[str, Any] = {"opportunity_id": f"o-{id}", "lead_id": id, "store_id": store, "seller_id": "li", **LEAD}
            return [leads.LeadConverted(**about, **SEALED), leads.OpportunityOpened(**about, series="A5")]
        seller = dice.choice(["li", "wu"])
        events = [
            leads.LeadGraded(lead_id=id, grade=dice.choice("HAB"), rule="r"),
            leads.LeadAssigned(lead_id=id, person_id="p", seller_id=seller, contact_due_at=at),
            leads.LeadContacted(lead_id=id, seller_id=seller, due_at=at, within_sla=True),
            leads.LeadDisqualified(lead_id=id, person_id="p", reason="no-answer"),
        ]
        return [dice.choice(events)]

    def _opportunity(self, dice: random.Random, id: str) -> list[Any]:
        about: dict[str, Any] = {"opportunity_id": f"o-{id}", "person_id": "p"}
        events = [
            leads.OpportunityAdvanced(**about, stage_from="first-contact", stage_to=dice.choice(STAGES[3:8])),
            leads.OpportunityWon(**about, order_id="o"),
            leads.OpportunityLost(**about, reason="price", competitor=None),
        ]
        return [dice.choice(events)]
