"""A refresh token is used once; used again it ends the session."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.gateway.domain.session import (
    EndSession,
    RefreshSession,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    StartSession,
    session,
)
from shared.testing.specs import spec

given = spec(session)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
start = StartSession(session_id="x", staff_id="u1", token_hash="a", device="phone", expires_at=noon + timedelta(days=14), at=noon)
started = SessionStarted(session_id="x", staff_id="u1", token_hash="a", device="phone", expires_at=noon + timedelta(days=14))
refresh = RefreshSession(token_hash="a", next_hash="b", at=noon)


def test_a_session_starts_once() -> None:
    given().when(start).then(started)
    given(started).when(start).rejected("token-invalid")


def test_each_refresh_gives_the_next_token() -> None:
    given(started).when(refresh).then(SessionRefreshed(token_hash="b"))
    given(started, SessionRefreshed(token_hash="b")).when(replace(refresh, token_hash="b", next_hash="c")).then(
        SessionRefreshed(token_hash="c")
    )


def test_a_token_shown_twice_is_theft() -> None:
    given(started, SessionRefreshed(token_hash="b")).when(refresh).then(SessionEnded(reason="replayed"))
    given(started, SessionEnded(reason="replayed")).when(replace(refresh, token_hash="b")).rejected("token-invalid")


def test_a_session_ends_after_its_time() -> None:
    given(started).when(replace(refresh, at=noon + timedelta(days=14))).rejected("token-invalid")


def test_ending_twice_changes_nothing() -> None:
    given(started).when(EndSession(reason="logged-out", at=noon)).then(SessionEnded(reason="logged-out"))
    given(started, SessionEnded(reason="logged-out")).when(EndSession(reason="logged-out", at=noon)).then_nothing()
