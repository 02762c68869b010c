"""Stored names: a chosen string and a version for every event class, and the upcasts that lift older shapes on read."""

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from shared.values.personal import Personal, is_token

type Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class Registry:
    """Encodes and decodes a context's stored events, and the commands its timers keep. The stored version of a name is 1 + its upcasts."""

    def __init__(
        self,
        context: str,
        events: Mapping[str, type],
        upcasts: Mapping[str, tuple[Upcast, ...]] | None = None,
        commands: Mapping[str, type] | None = None,
    ) -> None:
        self.context = context
        self.events = dict(events)
        self.commands = dict(commands or {})
        self._upcasts = dict(upcasts or {})
        self._versions = {name: 1 + len(self._upcasts.get(name, ())) for name in (*self.events, *self.commands)}
        self._names = {cls: name for name, cls in (*self.events.items(), *self.commands.items())}
        named = [*self.events.items(), *self.commands.items()]
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(cls) for name, cls in named}
        self._personal = {cls: tuple(personal_fields(cls)) for cls in self.events.values()}
        self._encoder = msgspec.json.Encoder()

    def version(self, name: str) -> int:
        """The version new events of this name are stored in."""
        return self._versions[name]

    def encode(self, event: object) -> tuple[str, int, bytes]:
        """Name, version and JSON of an event. ValueError when a personal field is not sealed."""
        name = self._names[type(event)]
        for field in self._personal.get(type(event), ()):
            value = getattr(event, field)
            if value is not None and not is_token(value):
                raise ValueError(f"{name}.{field} is personal and must be sealed before it is stored.")
        return name, self._versions[name], self._encoder.encode(event)

    def decode(self, name: str, version: int, data: bytes) -> Any:
        """The event or command as today's class; older shapes run through their upcasts. KeyError for an unknown name."""
        decoder = self._decoders[name]
        if version == self.version(name):
            return decoder.decode(data)
        shape = msgspec.json.decode(data)
        for upcast in self._upcasts[name][version - 1 :]:
            shape = upcast(shape)
        return msgspec.convert(shape, type=self.events[name])


def personal_fields(cls: type) -> list[str]:
    """The names of the fields marked `Annotated[..., Personal]`."""
    hints = get_type_hints(cls, include_extras=True)
    return [name for name, hint in hints.items() if Personal in getattr(hint, "__metadata__", ())]
