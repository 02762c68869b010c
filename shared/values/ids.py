"""Ids of things that people never type: UUIDs whose order is the order of their making."""

import re
from uuid import NAMESPACE_URL, UUID, SafeUUID, uuid5

import uuid_utils
from uuid_utils import compat

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """A fresh UUIDv7 in canonical lower-case form; later ids of one process sort after earlier ones."""
    return str(uuid_utils.uuid7())


def new_uuid() -> UUID:
    """The same as a UUID."""
    return compat.uuid7()


def derived_id(*parts: str) -> UUID:
    """An id that the same parts always give: a command's id from its process, input event and number."""
    return uuid5(NAMESPACE_URL, "/".join(parts))


def uuid_of(number: int) -> UUID:
    """The UUID of a number known to be one: its constructor's checks cost more than all else."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", number)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


def is_id(text: str) -> bool:
    """True for a UUID in canonical lower-case form, minted here or derived."""
    return _CANONICAL.fullmatch(text) is not None
