"""Messages are frozen dataclasses, only made faster: nothing else about them may differ."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields
from dataclasses import replace as plain_replace
from typing import Any, cast

import msgspec
import pytest

from shared.decider import message, replace


@message
class Offer:
    vin: str
    price: int
    currency: str = "CNY"
    extras: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None


@message
class Named:
    """As what makes it calls its own things."""

    set: int = 1
    missing: int = 2
    default_set: int = 3


@message
class Nothing: ...


@dataclass(frozen=True, kw_only=True)
class Plain:
    vin: str
    price: int
    currency: str = "CNY"
    extras: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None


offer = Offer(vin="V1", price=100)


def test_a_message_is_made_compared_shown_and_hashed_as_a_dataclass_is() -> None:
    plain = Plain(vin="V1", price=100)
    assert repr(offer) == repr(plain).replace("Plain", "Offer")
    assert asdict(cast(Any, offer)) == asdict(plain)
    assert offer == Offer(vin="V1", price=100, currency="CNY", extras={}, note=None) != Offer(vin="V2", price=100)
    assert Nothing() == Nothing()
    assert hash(Offer(vin="V1", price=100, extras=cast(Any, ()))) == hash(Offer(vin="V1", price=100, extras=cast(Any, ())))
    assert [each.name for each in fields(cast(Any, offer))] == [each.name for each in fields(plain)]


def test_a_field_may_have_any_name() -> None:
    assert (Named().set, Named().missing, Named(missing=5).missing, Named().default_set) == (1, 2, 5, 3)


def test_each_has_containers_of_its_own() -> None:
    assert Offer(vin="V1", price=1).extras is not Offer(vin="V1", price=1).extras


@pytest.mark.parametrize("given", [{"vin": "V1"}, {"vin": "V1", "price": 1, "colour": "red"}, {}])
def test_what_is_missing_or_unknown_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"Offer\.__init__"):
        Offer(**given)
    with pytest.raises(TypeError):
        Offer("V1", 1)  # type: ignore[call-arg]


def test_nobody_changes_a_message() -> None:
    with pytest.raises(FrozenInstanceError):
        offer.price = 1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del offer.price


def test_a_message_goes_through_json_and_back() -> None:
    assert msgspec.json.decode(msgspec.json.encode(offer), type=Offer) == offer
    assert msgspec.convert({"vin": "V1", "price": 100}, Offer) == offer


def test_a_copy_has_other_values_and_the_original_does_not() -> None:
    dearer = replace(offer, price=200, note="winter tyres")
    assert dearer == plain_replace(cast(Any, offer), price=200, note="winter tyres")
    assert (offer.price, offer.note) == (100, None)
    assert replace(Plain(vin="V1", price=1), price=2) == Plain(vin="V1", price=2)
    with pytest.raises(TypeError, match="Offer has no colour"):
        replace(offer, **cast(Any, {"colour": "red"}))
    with pytest.raises(FrozenInstanceError):
        dearer.price = 1  # type: ignore[misc]
