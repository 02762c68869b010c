"""Who gets a lead: a choice that can be explained, from candidates read beforehand."""

from shared.decider import message

RULE = "relationship-then-load"
RULE_VERSION = 1


@message
class Candidate:
    """A seller as known when the lead is assigned. `on_shift` None: the store has planned no shifts for that day."""

    seller_id: str
    store_ids: tuple[str, ...]
    brands: tuple[str, ...] = ()
    """The product lines the seller works; empty: all."""
    on_shift: bool | None = None
    absent: bool = False
    open_leads: int = 0
    capacity: int = 30
    assigned: int = 0
    """How many leads the seller was ever given."""


@message
class Considered:
    """A candidate's part in the explanation: `refused` names the conditions not met; `score` is the load in permille, lowest first."""

    seller_id: str
    score: int
    refused: tuple[str, ...] = ()


@message
class Choice:
    """The seller chosen, why, and everybody who was considered. No seller: nobody was eligible."""

    seller_id: str | None
    capacity: int
    reason: str
    considered: tuple[Considered, ...]
    rule: str = RULE
    rule_version: int = RULE_VERSION


def choose(candidates: tuple[Candidate, ...], *, store_id: str, brand: str, relationship: str | None) -> Choice:
    """An existing relationship first, then the lowest load; among equals whoever was given fewer leads so far."""
    considered = tuple(
        Considered(seller_id=one.seller_id, score=_load(one), refused=_refused(one, store_id, brand))
        for one in sorted(candidates, key=lambda one: one.seller_id)
    )
    refused = {one.seller_id for one in considered if one.refused}
    eligible = [one for one in candidates if one.seller_id not in refused]
    known = next((one for one in eligible if one.seller_id == relationship), None)
    if known:
        return Choice(seller_id=known.seller_id, capacity=known.capacity, reason="existing-relationship", considered=considered)
    if not eligible:
        return Choice(seller_id=None, capacity=0, reason="nobody-eligible" if candidates else "no-candidates", considered=considered)
    best = min(eligible, key=_turn)
    return Choice(seller_id=best.seller_id, capacity=best.capacity, reason="lowest-load", considered=considered)


def _refused(one: Candidate, store_id: str, brand: str) -> tuple[str, ...]:
    """The conditions the candidate does not meet."""
    conditions = {
        "other-store": store_id not in one.store_ids,
        "other-brand": bool(one.brands and brand and brand.casefold() not in {line.casefold() for line in one.brands}),
        "not-on-shift": one.on_shift is False,
        "absent": one.absent,
        "at-capacity": one.open_leads >= one.capacity,
    }
    return tuple(name for name, fails in conditions.items() if fails)


def _load(one: Candidate) -> int:
    return one.open_leads * 1000 // max(one.capacity, 1)


def _turn(one: Candidate) -> tuple[int, int, str]:
    """Sorts by load, then by who was given fewer leads so far, then by id."""
    return _load(one), one.assigned, one.seller_id
