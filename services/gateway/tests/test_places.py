"""Legal entities, stores, shifts and authorities."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.gateway.domain.authority import AuthorityGranted, GrantAuthority, authority
from services.gateway.domain.shift import CancelShift, PlanShift, ShiftCancelled, ShiftPlanned, shift
from services.gateway.domain.store import LegalEntityRegistered, OpenStore, RegisterLegalEntity, StoreOpened, entity, store
from shared.decider import Release, Take, TakeSlot
from shared.testing.specs import spec

noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
register = RegisterLegalEntity(entity_id="e1", name="North Ltd", tax_number="91110105", currency="CNY", vat_permille=130, at=noon)
registered = LegalEntityRegistered(entity_id="e1", name="North Ltd", tax_number="91110105", currency="CNY", vat_permille=130)
shop = {"store_id": "s1", "code": "BJ1", "name": "Beijing 1", "entity_id": "e1", "region": "north", "timezone": "Asia/Shanghai"}
open_store = OpenStore(**shop, opens="09:00", closes="18:00", at=noon)
opened = StoreOpened(**shop, opens="09:00", closes="18:00")
plan = PlanShift(shift_id="h1", staff_id="u1", store_id="s1", starts_at=noon, ends_at=noon + timedelta(hours=8), at=noon)
planned = ShiftPlanned(shift_id="h1", staff_id="u1", store_id="s1", starts_at=noon, ends_at=noon + timedelta(hours=8))
grant = GrantAuthority(role="sales-manager", series="*", discount_permille=30, at=noon)
granted = AuthorityGranted(role="sales-manager", series="*", discount_permille=30)


def test_a_tax_number_is_registered_once() -> None:
    taken = Take(kind="tax-number", key="91110105", problem="tax-number-taken", reason="This tax number is registered.")
    spec(entity)().when(register).then(registered).claims(taken)
    spec(entity)(registered).when(register).rejected("illegal-transition")


def test_a_store_has_a_code_of_its_own_and_closes_after_it_opens() -> None:
    taken = Take(kind="store-code", key="BJ1", problem="store-code-taken", reason="Another store has this code.")
    spec(store)().when(open_store).then(opened).claims(taken)
    spec(store)().when(replace(open_store, closes="09:00")).rejected("closing-before-opening")
    spec(store)(opened).when(open_store).rejected("illegal-transition")


def test_nobody_works_in_two_places_at_once() -> None:
    reason = "This person already works then."
    slot = TakeSlot(kind="shift", key="u1", start=noon, end=noon + timedelta(hours=8), problem="shift-overlaps", reason=reason)
    spec(shift)().when(plan).then(planned).claims(slot)
    spec(shift)().when(replace(plan, ends_at=noon)).rejected("shift-length")
    spec(shift)().when(replace(plan, ends_at=noon + timedelta(days=2))).rejected("shift-length")


def test_a_cancelled_shift_leaves_the_person_free() -> None:
    cancel = CancelShift(at=noon)
    cancelled = ShiftCancelled(shift_id="h1", staff_id="u1")
    spec(shift)(planned).when(cancel).then(cancelled).claims(Release(kind="shift"))
    spec(shift)(planned, cancelled).when(cancel).then_nothing()
    spec(shift)().when(cancel).rejected("illegal-transition")


def test_an_authority_is_granted_to_a_known_role_within_bounds() -> None:
    spec(authority)().when(grant).then(granted)
    spec(authority)(granted).when(grant).then_nothing()
    spec(authority)().when(replace(grant, role="emperor")).rejected("unknown-role")
    spec(authority)().when(replace(grant, discount_permille=1001)).rejected("authority-range")
