"""A user: one member of staff with a username, roles and stores."""

from datetime import datetime
from typing import assert_never

from services.gateway.domain.roles import PERMISSIONS, rank
from shared.decider import Claim, Decider, Rejected, Take, message, replace

EVERY_STORE = "*"


@message
class Assigner:
    """Who gives roles and stores: his own roles and stores bound what he may give."""

    id: str
    roles: tuple[str, ...]
    stores: frozenset[str]


@message
class CreateUser:
    staff_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    password_hash: str
    must_change: bool
    by: Assigner
    at: datetime
    brands: tuple[str, ...] = ()
    capacity: int = 30


@message
class AssignUser:
    """Gives roles, stores and product lines anew, whole."""

    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    by: Assigner
    at: datetime
    brands: tuple[str, ...] = ()
    capacity: int = 30


@message
class ChangePassword:
    """The user's own change; the old one has been checked."""

    password_hash: str
    at: datetime


@message
class ResetPassword:
    """An administrator's reset: it must be changed at the next login."""

    password_hash: str
    by: Assigner
    at: datetime


@message
class DisableUser:
    by: Assigner
    at: datetime


@message
class EnableUser:
    by: Assigner
    at: datetime


@message
class UserCreated:
    staff_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    brands: tuple[str, ...]
    capacity: int
    password_hash: str
    must_change: bool
    by: str


@message
class UserAssigned:
    roles: tuple[str, ...]
    store_ids: tuple[str, ...]
    brands: tuple[str, ...]
    capacity: int
    by: str


@message
class PasswordChanged:
    password_hash: str


@message
class PasswordReset:
    password_hash: str
    by: str


@message
class UserDisabled:
    by: str


@message
class UserEnabled:
    by: str


@message
class User:
    staff_id: str = ""
    username: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    store_ids: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    capacity: int = 30
    disabled: bool = False


type Command = CreateUser | AssignUser | ChangePassword | ResetPassword | DisableUser | EnableUser
type Event = UserCreated | UserAssigned | PasswordChanged | PasswordReset | UserDisabled | UserEnabled


def decide(command: Command, state: User) -> list[Event]:
    match command:
        case CreateUser() if not state.staff_id:
            return _create(command)
        case CreateUser():
            raise Rejected("illegal-transition", "This user exists.")
        case _ if not state.staff_id:
            raise Rejected("illegal-transition", "There is no such user.")
        case AssignUser(by=by) if by.id == state.staff_id:
            raise Rejected("four-eyes", "Nobody gives himself roles or stores.")
        case AssignUser(roles=roles, store_ids=store_ids, by=by):
            _may_touch(by, state)
            _may_give(by, roles, store_ids)
            given = UserAssigned(roles=roles, store_ids=store_ids, brands=command.brands, capacity=command.capacity, by=by.id)
            return [] if evolve(state, given) == state else [given]
        case ChangePassword(password_hash=password_hash):
            return [PasswordChanged(password_hash=password_hash)]
        case ResetPassword(password_hash=password_hash, by=by):
            _may_touch(by, state)
            return [PasswordReset(password_hash=password_hash, by=by.id)]
        case DisableUser(by=by):
            if by.id == state.staff_id:
                raise Rejected("four-eyes", "Nobody disables himself.")
            _may_touch(by, state)
            return [] if state.disabled else [UserDisabled(by=by.id)]
        case EnableUser(by=by):
            _may_touch(by, state)
            return [UserEnabled(by=by.id)] if state.disabled else []
        case unknown:
            assert_never(unknown)


def _create(command: CreateUser) -> list[Event]:
    _may_give(command.by, command.roles, command.store_ids)
    return [
        UserCreated(
            staff_id=command.staff_id,
            username=command.username,
            name=command.name,
            roles=command.roles,
            store_ids=command.store_ids,
            brands=command.brands,
            capacity=command.capacity,
            password_hash=command.password_hash,
            must_change=command.must_change,
            by=command.by.id,
        )
    ]


def _may_give(by: Assigner, roles: tuple[str, ...], store_ids: tuple[str, ...]) -> None:
    if unknown := [role for role in roles if role not in PERMISSIONS]:
        raise Rejected("unknown-role", f"There is no role {unknown[0]}.")
    if rank(roles) > rank(by.roles):
        raise Rejected("role-above-own", "Nobody gives a role above his own.")
    if EVERY_STORE not in by.stores and not by.stores.issuperset(store_ids):
        raise Rejected("store-not-own", "Nobody gives a store that is not his own.")


def _may_touch(by: Assigner, state: User) -> None:
    if rank(state.roles) > rank(by.roles):
        raise Rejected("role-above-own", "Nobody changes a user above his own rank.")
    if EVERY_STORE not in by.stores and not by.stores.issuperset(state.store_ids):
        raise Rejected("store-not-own", "This user works in a store that is not yours.")


def evolve(state: User, event: Event) -> User:
    match event:
        case UserCreated():
            return User(
                staff_id=event.staff_id,
                username=event.username,
                name=event.name,
                roles=event.roles,
                store_ids=event.store_ids,
                brands=event.brands,
                capacity=event.capacity,
            )
        case UserAssigned(roles=roles, store_ids=store_ids, brands=brands, capacity=capacity):
            return replace(state, roles=roles, store_ids=store_ids, brands=brands, capacity=capacity)
        case UserDisabled():
            return replace(state, disabled=True)
        case UserEnabled():
            return replace(state, disabled=False)
        case PasswordChanged() | PasswordReset():
            return state
        case unknown:
            assert_never(unknown)


def claims(event: Event) -> list[Claim]:
    match event:
        case UserCreated(username=username):
            return [Take(kind="username", key=username, problem="username-taken", reason="This username is taken.")]
        case _:
            return []


user = Decider[Command, User, Event](User(), decide, evolve, claims)
