"""The bays of a workshop."""

from datetime import UTC, datetime

from services.aftersales.domain.bay import BayClosed, BayOpened, CloseBay, OpenBay, bay
from shared.decider import Release, Take
from shared.testing.specs import spec

given = spec(bay)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
open_it = OpenBay(bay_id="b1", store_id="s1", name="Bay 1", by="wu", at=noon)
close_it = CloseBay(by="wu", at=noon)
opened = BayOpened(bay_id="b1", store_id="s1", name="Bay 1", by="wu")
closed = BayClosed(by="wu")


def test_a_bay_has_a_name_of_its_own_in_its_store() -> None:
    held = Take(kind="bay-name", key="s1/bay 1", problem="already-exists", reason="This store has an open bay of that name.")
    given().when(open_it).then(opened).claims(held)


def test_a_closed_bay_gives_its_name_back() -> None:
    given(opened).when(close_it).then(closed).claims(Release(kind="bay-name"))


def test_opening_or_closing_twice_changes_nothing() -> None:
    given(opened).when(open_it).then_nothing()
    given(opened, closed).when(close_it).then_nothing()


def test_a_bay_that_never_was_is_not_closed() -> None:
    given().when(close_it).rejected("illegal-transition")
