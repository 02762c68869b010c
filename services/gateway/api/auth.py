"""Login, refresh, password, sessions."""

import hashlib
import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter

from services.gateway.domain.roles import permissions
from services.gateway.domain.session import EndSession, RefreshSession, StartSession
from services.gateway.domain.user import ChangePassword
from services.gateway.logins import Attempts, Busy, Passwords, TooManyTries
from services.gateway.tokens import ACCESS_SECONDS, Tokens
from services.gateway.views.places import SessionRow, sessions
from services.gateway.views.users import UserRow, users
from shared.decider import Rejected
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.auth import unauthenticated
from shared.web.body import Body, Clean, Id, Raw
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs, public
from shared.web.shape import page_of, shape

router = APIRouter(route_class=CommandRoute)

SESSION = timedelta(days=14)
LEAST, MOST = 8, 128
GUESSED = frozenset(
    """password 12345678 123456789 1234567890 qwertyui qwertyuiop 11111111 88888888 66666666 00000000 iloveyou password1 passw0rd
    abcd1234 a1234567 woaini1314 1q2w3e4r asdfghjk 87654321 administrator""".split()
)
_LOGIN = "grant_type=password&username=lin.yue&password=correct+horse+battery+staple"
Form = Annotated[bytes, Raw("application/x-www-form-urlencoded", limit=8_192, example=_LOGIN)]
Secret = Annotated[str, Clean(most=MOST, least=1, example="correct horse battery staple")]

_passwords = Passwords()


class NewPassword(Body):
    """The old password and the new one."""

    current: Secret
    new: Secret


@router.post(
    "/auth/token",
    summary="Log in, or refresh (OAuth2 form)",
    response_model=shape(
        "Granted", also={"access_token": str, "token_type": str, "expires_in": int, "refresh_token": str, "must_change_password": bool}
    ),
    openapi_extra=public(),
)
async def token(body: Form, call: Call) -> dict[str, Any]:
    """`grant_type=password&username=&password=` or `grant_type=refresh_token&refresh_token=`; a refresh token works once."""
    form = _form(body)
    match form.get("grant_type"):
        case "password":
            return await _log_in(call, form)
        case "refresh_token":
            return await _refresh(call, form)
        case _:
            raise Problem("validation", errors=[FieldError("grant_type", "enum", {"expected": "password, refresh_token"})])


@router.get(
    "/auth/jwks.json",
    summary="The public keys of access tokens",
    response_model=shape("KeySet", also={"keys": list[dict[str, str]]}),
    openapi_extra=public(),
)
async def jwks(call: Call) -> dict[str, Any]:
    """A JWK set."""
    return _tokens(call).jwks()


@router.get(
    "/auth/me",
    summary="Who I am and what I may do",
    response_model=shape(
        "Me",
        UserRow,
        only=("staff_id", "username", "name", "roles", "store_ids"),
        also={"permissions": list[str], "must_change_password": bool},
    ),
    openapi_extra=needs(),
)
async def me(call: Call) -> dict[str, Any]:
    """The caller's name, roles, permissions and stores."""
    user = await _user(call, call.staff)
    return {
        "staff_id": user.staff_id,
        "username": user.username,
        "name": user.name,
        "roles": user.roles,
        "permissions": sorted(permissions(user.roles)),
        "store_ids": user.store_ids,
        "must_change_password": user.must_change,
    }


@router.post("/auth/password", summary="Change my password", openapi_extra=needs(key=False, match=False))
async def change_password(body: NewPassword, call: Call) -> Done:
    """Ends every other session of mine."""
    user = await _user(call, call.staff)
    if not await _guarded(call, user.username, body.current, user.password_hash):
        raise Problem("wrong-credentials", errors=[FieldError("current", "wrong")])
    check_password(body.new, user.username)
    hashed = await _hash(body.new)
    mine = call.request.headers.get("forecourt-session", "")
    await end_sessions(call, user.staff_id, "password-changed", but=mine)  # first: a try that breaks off leaves nothing half done
    done = await call.handle("user", user.staff_id, ChangePassword(password_hash=hashed, at=call.at), new=False)
    await end_sessions(call, user.staff_id, "password-changed", but=mine)
    return done


@router.get("/auth/sessions", summary="Where I am logged in", response_model=page_of("Session", SessionRow), openapi_extra=needs())
async def list_sessions(call: Call, paging: Paging) -> Page:
    """The caller's own sessions, newest first."""
    return await page(call, sessions, paging, order="started_at desc, session_id", where={"staff_id": call.staff})


@router.post("/auth/sessions/{session_id}/end", summary="Log out a device", openapi_extra=needs(key=False, match=False))
async def end_session(session_id: Id, call: Call) -> Done:
    """Only one's own."""
    await call.need(f"select session_id from {sessions.sql_name} where session_id = %s and staff_id = %s", [session_id, call.staff])
    return await call.handle("session", session_id, EndSession(reason="logged-out", at=call.at), new=False)


async def _log_in(call: Call, form: dict[str, str]) -> dict[str, Any]:
    username, password = form.get("username", "").strip().lower(), form.get("password", "")
    if len(password) > MOST or len(username) > 100:
        raise Problem("validation", errors=[FieldError("password", "string_too_long", {"max_length": MOST})])
    stream = await call.holder("username", username)
    user = await _user(call, stream.partition("-")[2]) if stream else None
    known = user.password_hash if user and not user.disabled else None
    if not await _guarded(call, username, password, known) or user is None:
        raise Problem("wrong-credentials", headers={"WWW-Authenticate": "Bearer"})
    session_id, refresh = new_id(), secrets.token_urlsafe(32)
    device = call.request.headers.get("user-agent", "")[:120]
    start = StartSession(
        session_id=session_id,
        staff_id=user.staff_id,
        token_hash=_digest(refresh),
        device="".join(character for character in device if character.isprintable()),
        expires_at=call.at + SESSION,
        at=call.at,
    )
    await call.handle("session", session_id, start, new=True)
    if (await _user(call, user.staff_id)).password_hash != known:  # whoever changed it meanwhile could only end the sessions he saw
        await call.handle("session", session_id, EndSession(reason="password-changed", at=call.at), new=False)
        raise Problem("wrong-credentials", headers={"WWW-Authenticate": "Bearer"})
    return _granted(call, user, session_id, refresh)


async def _refresh(call: Call, form: dict[str, str]) -> dict[str, Any]:
    """The token names its session; one that was used before ends the session it belongs to."""
    session_id, _, secret = form.get("refresh_token", "").partition(".")
    session = (await _store(call).rows(sessions, [(session_id,)])).get((session_id,))
    if not isinstance(session, SessionRow) or not secret:
        raise unauthenticated()
    user = await _user(call, session.staff_id)
    following = secrets.token_urlsafe(32)
    command = RefreshSession(token_hash=_digest(secret), next_hash=_digest(following), at=call.at)
    try:
        await call.handle("session", session_id, command, new=False)
    except Rejected:
        raise unauthenticated() from None
    after = (await _store(call).rows(sessions, [(session_id,)])).get((session_id,))
    if user.disabled or after is None or after.ended:
        raise unauthenticated()
    return _granted(call, user, session_id, following)


def _granted(call: Call, user: UserRow, session_id: str, refresh: str) -> dict[str, Any]:
    return {
        "access_token": _tokens(call).access(user.staff_id, session_id),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": f"{session_id}.{refresh}",
        "must_change_password": user.must_change,
    }


async def _guarded(call: Call, username: str, password: str, hashed: str | None) -> bool:
    """Whether the password is right; each try is counted before it is judged."""
    client = call.request.scope.get("client")
    attempts = Attempts(_store(call))
    try:
        attempt = await attempts.enter(username, client[0] if client else "unknown", call.at)
    except TooManyTries:
        raise Problem("too-many-requests", "Too many wrong passwords: wait a quarter of an hour.", headers={"Retry-After": "900"}) from None
    try:
        right = await _passwords.matches(password, hashed)
    except Busy:
        await attempts.unjudged(attempt)
        raise Problem("unavailable", headers={"Retry-After": "2"}) from None
    if right:
        await attempts.succeeded(username, call.at)
    return right


async def _hash(password: str) -> str:
    try:
        return await _passwords.hash(password)
    except Busy:
        raise Problem("unavailable", headers={"Retry-After": "2"}) from None


async def hashed_password(password: str, username: str) -> str:
    """The hash of a password that someone else gives. Raises Problem("weak-password")."""
    check_password(password, username)
    return await _hash(password)


def check_password(password: str, username: str) -> None:
    """Raises Problem("weak-password") for one that is short or the first to be guessed."""
    lowered = password.lower()
    if len(password) < LEAST or lowered in GUESSED or username.lower() in lowered or len(set(password)) < 4:
        raise Problem("weak-password", f"At least {LEAST} characters, not the user name, and none of the common ones.")


async def end_sessions(call: Call, staff_id: str, reason: str, but: str = "") -> None:
    """Ends the live sessions of a user, except `but`."""
    rows = await call.rows(
        f"select session_id from {sessions.sql_name} where staff_id = %s and ended is null and session_id <> %s", [staff_id, but]
    )
    for row in rows:
        await call.handle("session", row["session_id"], EndSession(reason=reason, at=call.at), new=False)


async def _user(call: Call, staff_id: str) -> UserRow:
    found = (await _store(call).rows(users, [(staff_id,)])).get((staff_id,))
    if not isinstance(found, UserRow):
        raise unauthenticated()
    return found


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise Problem("validation", "The form is malformed.") from None
    if len(dict(pairs)) != len(pairs):
        raise Problem("validation", "A field of the form is given twice.")
    return dict(pairs)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _store(call: Call) -> Any:
    return call.kit.store


_made: dict[str, Tokens] = {}


def _tokens(call: Call) -> Tokens:
    settings = call.kit.settings
    if settings.access_private_key not in _made:
        _made[settings.access_private_key] = Tokens(settings.access_private_key, settings.internal_private_key)
    return _made[settings.access_private_key]
