"""Login, first password, reset, sessions, rights: through the gateway."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.testing.platform import PASSWORD, Person, Platform
from tests.acceptance.shop import did, phone

ENTITY = {"name": "Beijing North Motors Ltd", "tax_number": "91110105MA0IDENT2X"}


@pytest.fixture(scope="module")
def admin(platform: Platform) -> Person:
    return platform.administrator()


@pytest.fixture(scope="module")
def store(admin: Person) -> str:
    entity = admin.did("/legal-entities", ENTITY)
    return admin.did("/stores", {"code": "IDN", "name": "Identity store", "entity_id": entity, "region": "north"})


def new_user(username: str, store: str, *roles: str) -> dict[str, object]:
    return {"username": username, "name": username.title(), "roles": roles, "store_ids": [store], "password": "First-Pass-1"}


@pytest.mark.touches("GTW-02")
def test_a_first_password_must_be_changed_before_anything_else(platform: Platform, admin: Person, store: str) -> None:
    admin.did("/users", new_user("gao", store, "sales-consultant"))
    gao = platform.person("gao", "First-Pass-1")
    assert gao.tokens["must_change_password"] is True
    assert gao.get("/stores").json()["type"] == "/problems/password-change-required"
    weak = gao.post("/auth/password", {"current": "First-Pass-1", "new": "12345678"})
    assert (weak.status_code, weak.json()["type"]) == (422, "/problems/weak-password")
    assert gao.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    assert gao.get("/stores").status_code == 200


@pytest.mark.touches("GTW-02")
def test_an_administrator_resets_a_password_and_ends_the_sessions(platform: Platform, admin: Person, store: str) -> None:
    id = admin.did("/users", new_user("hu", store, "sales-consultant"))
    hu = platform.person("hu", "First-Pass-1")
    assert hu.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    admin.did(f"/users/{id}/reset-password", {"password": "Second-Pass-2"})
    until = time.monotonic() + 10
    while hu.get("/auth/me").status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert platform.person("hu", "Second-Pass-2").tokens["must_change_password"] is True


@pytest.mark.touches("GTW-02")
def test_who_logs_in_while_the_password_changes_has_no_session_that_outlives_it(platform: Platform, admin: Person, store: str) -> None:
    """Whoever knows the old password may come in between whatever two steps: not one of his sessions is good for another token."""
    admin.did("/users", new_user("quan", store, "sales-consultant"))
    quan = platform.person("quan", "First-Pass-1")
    assert quan.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    form = {"grant_type": "password", "username": "quan", "password": PASSWORD}
    with ThreadPoolExecutor(4) as many:
        logins = [many.submit(Person(platform.url).http.post, "/auth/token", data=form) for _ in range(4)]
        changed = quan.post("/auth/password", {"current": PASSWORD, "new": "Third-Pass-3"})
        answers = [login.result() for login in logins]
    assert changed.status_code == 200, changed.text
    assert {answer.status_code for answer in answers} <= {200, 401, 503}
    for answer in answers:
        if answer.status_code == 200:
            again = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
            assert quan.http.post("/auth/token", data=again).status_code == 401
    assert quan.get("/auth/me").status_code == 200


@pytest.mark.touches("GTW-02")
def test_a40_a_refresh_token_works_once_and_its_replay_ends_the_session(platform: Platform, admin: Person) -> None:
    first = platform.person("admin")
    form = {"grant_type": "refresh_token", "refresh_token": first.tokens["refresh_token"]}
    second = first.http.post("/auth/token", data=form)
    assert second.status_code == 200
    assert second.json()["refresh_token"] != form["refresh_token"]
    assert first.http.post("/auth/token", data=form).status_code == 401
    after = {"grant_type": "refresh_token", "refresh_token": second.json()["refresh_token"]}
    assert first.http.post("/auth/token", data=after).status_code == 401


@pytest.mark.touches("GTW-02")
def test_a41_the_sixth_wrong_password_waits(platform: Platform, admin: Person, store: str) -> None:
    admin.did("/users", new_user("luo", store, "sales-consultant"))
    stranger = Person(platform.url)
    form = {"grant_type": "password", "username": "luo", "password": "Wrong-Pass-9"}
    answers = [stranger.http.post("/auth/token", data=form, headers={"x-forwarded-for": f"10.0.0.{n}"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert {answer.json()["type"] for answer in answers[:5]} == {"/problems/wrong-credentials"}


def test_a43_an_unknown_user_gets_the_same_answer(platform: Platform, admin: Person, store: str) -> None:
    """As one whose password is wrong, and as one who is shut out: status, text and headers."""
    ids = {name: admin.did("/users", new_user(name, store, "sales-consultant")) for name in ("tan", "shi")}
    admin.did(f"/users/{ids['shi']}/disable")
    stranger, told = Person(platform.url), []
    for username, password in (("tan", "Wrong-Pass-9"), ("nobody-at-all", "Wrong-Pass-9"), ("shi", "First-Pass-1")):
        answer = stranger.http.post("/auth/token", data={"grant_type": "password", "username": username, "password": password})
        headers = {name: value for name, value in answer.headers.items() if name not in ("date", "traceparent")}
        told.append((answer.status_code, answer.text.replace(answer.json()["instance"], ""), headers))
    assert (told[0][0], "/problems/wrong-credentials" in told[0][1]) == (401, True)
    assert told == [told[0]] * 3
    assert platform.person("tan", "First-Pass-1").tokens, "he is known, and could come in"


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "a.b.c"])
def test_a32_a33_a_token_that_is_not_ours_is_refused(platform: Platform, token: str) -> None:
    stranger = Person(platform.url)
    stranger.http.headers["authorization"] = f"Bearer {token}"
    answer = stranger.get("/stores")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a36_a38_a_changed_or_foreign_token_is_refused(platform: Platform) -> None:
    admin = platform.person("admin")
    for token in (admin.tokens["access_token"] + "=", admin.tokens["refresh_token"]):
        admin.http.headers["authorization"] = f"Bearer {token}"
        assert admin.get("/stores").status_code == 401


def test_a39_a_disabled_user_is_out_within_a_minute(platform: Platform, admin: Person, store: str) -> None:
    id = admin.did("/users", new_user("mao", store, "sales-consultant"))
    mao = platform.person("mao", "First-Pass-1")
    assert mao.get("/auth/me").status_code == 200
    admin.did(f"/users/{id}/disable")
    until = time.monotonic() + 10
    while mao.get("/auth/me").status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.2)


def settled(platform: Platform, username: str) -> Person:
    """Logged in, the first password changed; the token stays the one he has now."""
    person = platform.person(username, "First-Pass-1")
    assert person.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    return person


def within_a_minute(so: Callable[[], bool]) -> None:
    """AssertionError when it does not come about."""
    until = time.monotonic() + 60
    while not so():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a39_a_role_taken_away_is_gone_from_the_old_token(platform: Platform, admin: Person, store: str) -> None:
    id = admin.did("/users", new_user("bai", store, "sales-manager"))
    bai = settled(platform, "bai")
    token = bai.tokens["access_token"]
    assert bai.get("/users").status_code == 200
    admin.did(f"/users/{id}/assign", {"roles": ["stock-clerk"], "store_ids": [store]})
    within_a_minute(lambda: bai.get("/users").status_code == 403)
    assert bai.get("/users").json()["type"] == "/problems/forbidden"
    assert bai.get("/stores").status_code == 200, "he is still in, with what is left to him"
    assert bai.tokens["access_token"] == token


def test_a39_a_store_taken_away_is_gone_from_the_old_token(platform: Platform, admin: Person, store: str) -> None:
    entity = admin.did("/legal-entities", {**ENTITY, "tax_number": "91110105MA0IDENT3X"})
    second = admin.did("/stores", {"code": "IDM", "name": "Second store", "entity_id": entity, "region": "north"})
    id = admin.did("/users", {**new_user("fan", store, "sales-manager"), "store_ids": [store, second]})
    fan = settled(platform, "fan")
    token = fan.tokens["access_token"]
    body = {"brand": "Aurora", "channel": "phone", "name": "Lin"}
    leads = {at: did(fan, "/leads", {**body, "store_id": at, "phone": phone()}) for at in (store, second)}
    for lead in leads.values():
        fan.eventually(f"/leads/{lead}")
    admin.did(f"/users/{id}/assign", {"roles": ["sales-manager"], "store_ids": [store]})
    within_a_minute(lambda: fan.get(f"/leads/{leads[second]}").status_code == 404)
    assert [row["lead_id"] for row in fan.get("/leads").json()["items"]] == [leads[store]]
    assert fan.get("/leads", store_id=second).json()["items"] == []
    assert fan.post("/leads", {**body, "store_id": second, "phone": phone()}).json()["type"] == "/problems/unknown-reference"
    assert fan.get(f"/leads/{leads[store]}").status_code == 200
    assert fan.tokens["access_token"] == token


@pytest.mark.touches("GTW-03")
def test_a56_nobody_gives_a_role_above_his_own(platform: Platform, admin: Person, store: str) -> None:
    assert platform.person("admin").get("/audit").status_code == 200
    id = admin.did("/users", new_user("xie", store, "sales-manager"))
    xie = platform.person("xie", "First-Pass-1")
    assert xie.post("/auth/password", {"current": "First-Pass-1", "new": PASSWORD}).status_code == 200
    answer = xie.post(f"/users/{id}/assign", {"roles": ["group-owner"], "store_ids": ["*"]})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


def test_a98_what_is_inside_is_not_shown_outside(platform: Platform) -> None:
    for path in ("/metrics", "/docs", "/openapi.json"):
        assert Person(platform.url).http.get(f"{platform.url}{path}").status_code == 404


def test_a62_identity_headers_of_a_client_are_not_believed(platform: Platform) -> None:
    stranger = Person(platform.url)
    answer = stranger.http.get("/stores", headers={"forecourt-session": "1", "x-user": "admin", "x-forwarded-user": "admin"})
    assert answer.status_code == 401


@pytest.mark.touches("GTW-01")
def test_every_action_is_on_the_audit_trail(platform: Platform, admin: Person) -> None:
    admin.get("/stores")
    until = time.monotonic() + 5
    while not any(row["path"] == "/api/v1/stores" and row["status"] == 200 for row in admin.get("/audit").json()["items"]):
        assert time.monotonic() < until
        time.sleep(0.1)
