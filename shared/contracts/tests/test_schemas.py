"""The published language is what its frozen schemas say."""

import typing

import pytest

from shared.contracts.schema import FOLDER, published, text
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
