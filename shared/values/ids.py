"""Ids of things that people never type: UUIDs whose order is the order of their making."""

import re

import uuid_utils

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """A fresh UUIDv7 in canonical lower-case form; later ids of one process sort after earlier ones."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """True for a UUID in canonical lower-case form, minted here or derived."""
    return _CANONICAL.fullmatch(text) is not None
