"""Attacks on the door itself: heads, forms, logins, cookies and tokens of the inside, A18 to A62."""

import socket
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from services.gateway.tokens import Tokens
from shared.testing.platform import PASSWORD, Person, Platform
from tests.acceptance.operations import OPERATIONS
from tests.acceptance.refusals import CANARY, assert_refused
from tests.acceptance.shop import Shop
from tests.acceptance.test_attacks_http import raw

FORM = {"content-type": "application/x-www-form-urlencoded"}


def told(status: int, text: str) -> None:
    """The door's answer to bytes is a problem of that status, and the connection is closed."""
    assert f"HTTP/1.1 {status} " in text
    assert "application/problem+json" in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/v1/stores HTTP/1.1\nHost: a\nX-Long: {filler}\n\n",
        "GET /api/v1/stores?q={filler} HTTP/1.1\nHost: a\n\n",
        "GET /api/v1/stores HTTP/1.1\nHost: a\n" + "".join(f"X-{n}: zq7canary93\n" for n in range(1000)) + "\n",
        "GET /api/v1/stores HTTP/1.1\nHost: a\nX-Endless: {filler}{filler}{filler}",
    ],
)
def test_a18_a_head_beyond_its_limit(platform: Platform, head: str) -> None:
    status, text = raw(platform, head.format(filler="zq7canary93" * 1600))
    assert status == 431, text[:300]
    told(431, text)


def test_a18_a_head_within_its_limit_and_a_long_body_are_read(shop: Shop) -> None:
    assert shop.sales.http.get("/auth/me", headers={"x-long": "x" * 15_000}).status_code == 200
    assert_refused(shop.sales.http.post("/leads", content=b"[" + b" " * 900_000, headers={"content-type": "application/json"}), 400)


def test_a20_a_form_of_many_fields_or_parts(platform: Platform) -> None:
    stranger = Person(platform.url)
    many = "&".join(f"{CANARY}{n}=1" for n in range(100_000))
    assert_refused(stranger.http.post("/auth/token", content=many, headers=FORM), 413, "body-too-large")
    few = "&".join(f"{CANARY}{n}=1" for n in range(50))
    assert_refused(stranger.http.post("/auth/token", content=few, headers=FORM), 422, "validation")
    part = f'--x\r\nContent-Disposition: form-data; name="{"n" * 6000}"\r\n\r\n1\r\n--x--\r\n'
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    assert_refused(stranger.http.post("/auth/token", content=part, headers=multipart), 415, "unsupported-media-type")


def test_a44_a_password_that_is_a_book(platform: Platform) -> None:
    stranger = Person(platform.url)
    form = {"grant_type": "password", "username": "admin"}
    assert_refused(stranger.http.post("/auth/token", data={**form, "password": CANARY * 372}), 422, "validation")
    assert_refused(stranger.http.post("/auth/token", data={**form, "password": CANARY * 953_250}), 413, "body-too-large")


def test_a45_fifty_logins_at_once(platform: Platform, shop: Shop) -> None:
    """Each is let in or told to come again, guesses at one password being few at a time; the gateway hashes no more at a time than it has room for."""
    form = {"grant_type": "password", "username": f"sales{shop.group.number}", "password": PASSWORD}
    gateway = platform.process("gateway")
    before = gateway.memory_info().rss

    def log_in(_: int) -> httpx2.Response:
        with httpx2.Client(base_url=f"{platform.url}/api/v1", timeout=60) as client:
            return client.post("/auth/token", data=form)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(log_in, range(50)))
    assert {answer.status_code for answer in answers} <= {200, 429, 503}
    assert any(answer.status_code == 200 for answer in answers)
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code != 200)
    assert gateway.memory_info().rss - before < 400 << 20


def test_a48_no_cookie_is_given_and_none_is_asked_for(platform: Platform, shop: Shop) -> None:
    """Nothing a browser sends by itself lets anybody in: there is nothing to forge a request with."""
    token = shop.sales.token
    stranger = Person(platform.url)
    for name in ("access_token", "session", "token", "authorization"):
        assert_refused(stranger.http.get("/stores", headers={"cookie": f"{name}={token}"}), 401, "unauthenticated")
    form = {"grant_type": "password", "username": f"sales{shop.group.number}", "password": PASSWORD}
    for answer in (stranger.http.post("/auth/token", data=form), shop.sales.get("/stores"), httpx2.get(platform.url)):
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    foreign = shop.sales.http.options("/stores", headers={"origin": "https://evil.example", "access-control-request-method": "GET"})
    assert "access-control-allow-origin" not in foreign.headers


@pytest.fixture
def inside(platform: Platform) -> Tokens:
    """Tokens as the gateway makes them for the services."""
    secrets = platform.secrets
    return Tokens(secrets["access_private_key"], secrets["internal_private_key"])


def test_a61_a_token_of_the_inside_opens_no_door(platform: Platform, shop: Shop, inside: Tokens) -> None:
    everything = frozenset(permission for one in OPERATIONS for permission in one.route.needed.permissions)
    stranger = Person(platform.url)
    stranger.http.headers["authorization"] = f"Bearer {inside.internal(shop.values['sales'], ('group-owner',), everything, frozenset('*'))}"
    for path in ("/stores", "/orders", "/auth/me", "/audit"):
        assert_refused(stranger.get(path), 401, "unauthenticated")


def test_a62_past_the_door_nobody_is_let_in(platform: Platform, shop: Shop) -> None:
    """A service that is called directly knows neither the door's tokens nor what a client says of itself."""
    said = {"x-user": shop.values["owner"], "x-forwarded-user": "admin", "forecourt-session": "x", "x-permissions": "orders.read"}
    for port in range(platform.base + 101, platform.base + 109):
        context = ("leads", "customers", "campaigns", "vehicles", "orders", "receipts", "appointments", "reports/funnel")[port % 100 - 1]
        url = f"http://127.0.0.1:{port}/api/v1/{context}"
        for headers in ({}, said, {"authorization": f"Bearer {shop.owner.tokens['access_token']}", **said}):
            answer = httpx2.get(url, headers=headers)
            assert answer.status_code == 401, url


@pytest.mark.parametrize(
    "path", ["/?next=//evil.example", "//evil.example", "//evil.example/..", "/\\evil.example", "/login?next=https://evil"]
)
def test_a95_nothing_leads_elsewhere(platform: Platform, path: str) -> None:
    with socket.create_connection(("127.0.0.1", platform.base + 80), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        text = connection.recv(65_536).decode("latin-1").lower()
    assert int(text.split(" ", 2)[1]) in (200, 400, 404)
    assert "\r\nlocation:" not in text
