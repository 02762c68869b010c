"""The published language: what each context tells the others, one module per context. Types are chosen names, frozen in schemas/."""

from collections.abc import Callable
from typing import dataclass_transform

from shared.decider import message

PUBLISHED: dict[str, type] = {}
_NAMES: dict[type, str] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def published[T](name: str, version: int = 1) -> Callable[[type[T]], type[T]]:
    """Registers a public event under `<context>.<Name>.v<version>`; only optional fields may be added to a version."""

    def register(cls: type[T]) -> type[T]:
        made = message(cls)
        PUBLISHED[f"{name}.v{version}"] = made
        _NAMES[made] = f"{name}.v{version}"
        return made

    return register


def published_name(event: object) -> str:
    """The CloudEvents type of a public event, such as `orders.OrderApproved.v1`."""
    return _NAMES[type(event)]
