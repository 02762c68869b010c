"""Who may make, change and disable a user."""

from dataclasses import replace
from datetime import UTC, datetime

from services.gateway.domain.user import (
    Assigner,
    AssignUser,
    ChangePassword,
    CreateUser,
    DisableUser,
    EnableUser,
    PasswordChanged,
    PasswordReset,
    ResetPassword,
    UserAssigned,
    UserCreated,
    UserDisabled,
    UserEnabled,
    user,
)
from shared.decider import Take
from shared.testing.specs import spec

given = spec(user)
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
admin = Assigner(id="adm", roles=("administrator",), stores=frozenset({"*"}))
chief = Assigner(id="chief", roles=("sales-manager",), stores=frozenset({"s1"}))
create = CreateUser(
    staff_id="u1",
    username="lin.yue",
    name="Lin Yue",
    roles=("sales-consultant",),
    store_ids=("s1",),
    password_hash="h1",
    must_change=True,
    by=admin,
    at=noon,
)
created = UserCreated(
    staff_id="u1",
    username="lin.yue",
    name="Lin Yue",
    roles=("sales-consultant",),
    store_ids=("s1",),
    brands=(),
    capacity=30,
    password_hash="h1",
    must_change=True,
    by="adm",
)
assign = AssignUser(roles=("sales-manager",), store_ids=("s1",), by=admin, at=noon)
assigned = UserAssigned(roles=("sales-manager",), store_ids=("s1",), brands=(), capacity=30, by="adm")
disable = DisableUser(by=admin, at=noon)


def test_a_user_has_a_name_nobody_else_has() -> None:
    given().when(create).then(created).claims(
        Take(kind="username", key="lin.yue", problem="username-taken", reason="This username is taken.")
    )
    given(created).when(create).rejected("illegal-transition")


def test_there_are_no_unknown_roles() -> None:
    given().when(replace(create, roles=("emperor",))).rejected("unknown-role")


def test_roles_and_stores_are_given_anew() -> None:
    given(created).when(assign).then(assigned)
    given(created, assigned).when(assign).then_nothing()


def test_nobody_gives_himself_anything() -> None:
    given(created).when(replace(assign, by=replace(admin, id="u1"))).rejected("four-eyes")


def test_nobody_gives_a_role_above_his_own() -> None:
    given(created).when(replace(assign, by=chief, roles=("group-owner",))).rejected("role-above-own")
    given(created).when(replace(assign, by=chief, roles=("administrator",))).rejected("role-above-own")


def test_nobody_gives_a_store_that_is_not_his() -> None:
    given(created).when(replace(assign, by=chief, store_ids=("s1", "s2"))).rejected("store-not-own")
    given(replace(created, store_ids=("s2",))).when(replace(assign, by=chief)).rejected("store-not-own")


def test_nobody_touches_a_user_above_his_rank() -> None:
    owner = replace(created, roles=("group-owner",), store_ids=("s1",))
    given(owner).when(replace(disable, by=chief)).rejected("role-above-own")
    given(owner).when(ResetPassword(password_hash="h2", by=chief, at=noon)).rejected("role-above-own")


def test_a_user_is_disabled_and_enabled_once() -> None:
    given(created).when(disable).then(UserDisabled(by="adm"))
    given(created, UserDisabled(by="adm")).when(disable).then_nothing()
    given(created, UserDisabled(by="adm")).when(EnableUser(by=admin, at=noon)).then(UserEnabled(by="adm"))
    given(created).when(replace(disable, by=replace(admin, id="u1"))).rejected("four-eyes")


def test_passwords_are_changed_by_oneself_and_reset_by_others() -> None:
    given(created).when(ChangePassword(password_hash="h2", at=noon)).then(PasswordChanged(password_hash="h2"))
    given(created).when(ResetPassword(password_hash="h3", by=admin, at=noon)).then(PasswordReset(password_hash="h3", by="adm"))
    given().when(ChangePassword(password_hash="h2", at=noon)).rejected("illegal-transition")
