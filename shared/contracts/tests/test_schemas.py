"""The published language is what its frozen schemas say."""

import typing

import pytest

from shared.contracts.needs import NEEDS, needed
from shared.contracts.schema import CONTEXTS, FOLDER, published, text
from shared.events.registry import personal_fields

FREE_TEXT = {"name", "phone", "email", "text", "comments"}
NO_PERSON = {"gateway.", "marketing.", "inventory."}


@pytest.mark.parametrize("name", published())
def test_a_schema_is_frozen(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == text(name, published()[name]), "run `make contracts` and review"


def test_no_schema_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(published())


def test_what_names_a_person_is_marked_personal() -> None:
    for name, cls in published().items():
        if not any(name.startswith(prefix) for prefix in NO_PERSON):
            fields = typing.get_type_hints(cls)
            assert FREE_TEXT & set(fields) <= set(personal_fields(cls)) | ({"text"} if name.startswith("finance.") else set()), name


def test_what_asks_for_a_permission_is_told_and_no_cost_is_told_without() -> None:
    names = {name.rpartition(".v")[0] for name in published()}
    assert NEEDS.keys() <= names | {*CONTEXTS}
    costs = {"book_cost", "cost", "purchase", "transport"}
    free = [name for name, cls in published().items() if costs & typing.get_type_hints(cls).keys() and needed(name) is None]
    assert free == []
