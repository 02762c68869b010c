"""A bay of a store's workshop: one car at a time."""

from datetime import datetime
from typing import assert_never

from shared.decider import Claim, Decider, Rejected, Release, Take, message, replace


@message
class OpenBay:
    bay_id: str
    store_id: str
    name: str
    by: str
    at: datetime


@message
class CloseBay:
    by: str
    at: datetime


@message
class BayOpened:
    bay_id: str
    store_id: str
    name: str
    by: str


@message
class BayClosed:
    by: str


@message
class Bay:
    bay_id: str = ""
    open: bool = False


type Command = OpenBay | CloseBay
type Event = BayOpened | BayClosed


def decide(command: Command, state: Bay) -> list[Event]:
    """What becomes of a command; [] when it is already so. What is booked in a bay that closes stays booked."""
    match command:
        case OpenBay(bay_id=bay_id, store_id=store_id, name=name, by=by) if not state.bay_id:
            return [BayOpened(bay_id=bay_id, store_id=store_id, name=name, by=by)]
        case CloseBay(by=by) if state.open:
            return [BayClosed(by=by)]
        case OpenBay() | CloseBay() if state.bay_id:
            return []
        case _:
            raise Rejected("illegal-transition", "There is no such bay.")


def evolve(state: Bay, event: Event) -> Bay:
    """The bay after an event."""
    match event:
        case BayOpened(bay_id=bay_id):
            return Bay(bay_id=bay_id, open=True)
        case BayClosed():
            return replace(state, open=False)
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    """A name is one open bay's of its store."""
    match event:
        case BayOpened(store_id=store_id, name=name):
            key = f"{store_id}/{name.casefold()}"
            return [Take(kind="bay-name", key=key, problem="already-exists", reason="This store has an open bay of that name.")]
        case BayClosed():
            return [Release(kind="bay-name")]
        case unknown:
            assert_never(unknown)


bay = Decider[Command, Bay, Event](Bay(), decide, evolve, claims)
