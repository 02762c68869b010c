"""A session: one login on one device, kept alive by refresh tokens that are each used once."""

from datetime import datetime
from typing import assert_never

from shared.decider import Decider, Rejected, message


@message
class StartSession:
    session_id: str
    staff_id: str
    token_hash: str
    device: str
    expires_at: datetime
    at: datetime


@message
class RefreshSession:
    """Shows the current token and gets the next; an old token shown again is theft and ends the session."""

    token_hash: str
    next_hash: str
    at: datetime


@message
class EndSession:
    reason: str
    at: datetime


@message
class SessionStarted:
    session_id: str
    staff_id: str
    token_hash: str
    device: str
    expires_at: datetime


@message
class SessionRefreshed:
    token_hash: str


@message
class SessionEnded:
    reason: str


@message
class NoSession: ...


@message
class Live:
    token_hash: str
    expires_at: datetime


@message
class Over: ...


type Command = StartSession | RefreshSession | EndSession
type Event = SessionStarted | SessionRefreshed | SessionEnded
type State = NoSession | Live | Over

REPLAYED = "replayed"


def decide(command: Command, state: State) -> list[Event]:
    match command, state:
        case StartSession(), NoSession():
            return [
                SessionStarted(
                    session_id=command.session_id,
                    staff_id=command.staff_id,
                    token_hash=command.token_hash,
                    device=command.device,
                    expires_at=command.expires_at,
                )
            ]
        case RefreshSession(at=at), Live(expires_at=expires_at) if at >= expires_at:
            raise Rejected("token-invalid", "This session has expired.")
        case RefreshSession(token_hash=shown), Live(token_hash=current) if shown != current:
            return [SessionEnded(reason=REPLAYED)]
        case RefreshSession(next_hash=following), Live():
            return [SessionRefreshed(token_hash=following)]
        case EndSession(reason=reason), Live():
            return [SessionEnded(reason=reason)]
        case EndSession(), Over():
            return []
        case _:
            raise Rejected("token-invalid", "This session is over.")


def evolve(state: State, event: Event) -> State:
    match event, state:
        case SessionStarted(token_hash=token_hash, expires_at=expires_at), _:
            return Live(token_hash=token_hash, expires_at=expires_at)
        case SessionRefreshed(token_hash=token_hash), Live(expires_at=expires_at):
            return Live(token_hash=token_hash, expires_at=expires_at)
        case SessionRefreshed(), _:
            return state
        case SessionEnded(), _:
            return Over()
        case unknown, _:
            assert_never(unknown)


session = Decider[Command, State, Event](NoSession(), decide, evolve)
