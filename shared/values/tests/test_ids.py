"""Ids sort by age and have one spelling."""

import uuid

import pytest

from shared.values.ids import is_id, new_id

ID = "01934f6e-7b1c-7cc3-98c4-dc0c0c07398f"


def test_later_ids_sort_after_earlier_ones() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert uuid.UUID(ids[0]).version == 7
    assert all(map(is_id, ids))


def test_a_derived_id_is_an_id() -> None:
    assert is_id(str(uuid.uuid5(uuid.NAMESPACE_URL, "orders/1")))


@pytest.mark.parametrize("text", ["", "1", ID.upper(), f"{{{ID}}}", ID.replace("-", ""), ID + "\n", "../" + ID])
def test_no_other_spelling_is_an_id(text: str) -> None:
    assert not is_id(text)
