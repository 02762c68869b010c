"""A32–A38, A50–A52, A61: who asks, what he may do, and whose things are his."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.web import auth
from shared.web.auth import Verifier
from shared.web.problems import Problem
from shared.web.tests.client import Client
from shared.web.tests.example import KEY, NORTH, PUBLIC, SOUTH, bearer, running, token

PRICE = {"amount": "189800.00", "currency": "CNY"}
TAG = {"store_id": NORTH, "title": "Golf", "price": PRICE}


@pytest.fixture
async def lin() -> AsyncIterator[Client]:
    """Lin of the north store."""
    async with running() as client:
        yield client


async def refused(lin: Client, authorization: str) -> None:
    """401 with a challenge."""
    answer = await lin.get("/api/v1/counts?day=2026-11-22", {"authorization": authorization})
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def ago(seconds: int) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic bGluOnB3", "Bearer x.y.z", "bearer a b", "Token abc"])
async def test_a32_no_token(lin: Client, authorization: str) -> None:
    await refused(lin, authorization)


@pytest.mark.parametrize(
    "claims", [{"exp": ago(120)}, {"nbf": ago(-600)}, {"exp": None}, {"sub": None}, {"sub": ""}, {"sub": 5}, {"exp": "soon"}]
)
async def test_a32_not_valid_now(lin: Client, claims: dict[str, Any]) -> None:
    await refused(lin, f"Bearer {token(**claims)}")


@pytest.mark.parametrize("claims", [{"permissions": (5,)}, {"stores": (1,)}, {"roles": {"a": 1}}, {"roles": "owner"}])
async def test_a32_claims_of_another_shape(lin: Client, claims: dict[str, Any]) -> None:
    await refused(lin, f"Bearer {token(**claims)}")


def forged(header: dict[str, Any], signature: bytes = b"\0" * 64) -> str:
    """A token of our claims under any header."""
    claims = token().split(".")[1]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (json.dumps(header).encode(), signature)]
    return f"{encoded[0]}.{claims}.{encoded[1]}"


async def test_a33_other_algorithms(lin: Client) -> None:
    for alg in ("none", "None", "HS256", "RS256", "ES256", ""):
        await refused(lin, f"Bearer {forged({'alg': alg, 'typ': 'JWT'})}")
    head, claims, _ = token().split(".")
    await refused(lin, f"Bearer {head}.{claims}.")
    for secret in (PUBLIC, PUBLIC.strip(), PUBLIC.replace("\n", "\r\n")):
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
        mac = hmac.digest(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256)
        await refused(lin, f"Bearer {head}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


async def test_a33_another_key(lin: Client) -> None:
    other = Ed25519PrivateKey.generate()
    claims = jwt.decode(token(), options={"verify_signature": False})
    await refused(lin, f"Bearer {jwt.encode(claims, other, 'EdDSA')}")


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.test/keys"},
        {"x5u": "https://evil.test/cert"},
        {"jwk": {"kty": "OKP"}},
        {"x5c": ["MII"]},
        {"kid": "../../etc/passwd"},
        {"kid": "x' or 1=1 --"},
        {"kid": ""},
        {"b64": False},
    ],
)
async def test_a34_headers_that_name_keys(lin: Client, header: dict[str, Any]) -> None:
    await refused(lin, f"Bearer {token(header=header)}")


async def test_a34_a_plain_kid_is_fine(lin: Client) -> None:
    answer = await lin.get("/api/v1/counts?day=2026-11-22", {"authorization": f"Bearer {token(header={'kid': '2026-11'})}"})
    assert answer.status == 200


async def test_a35_unknown_crit(lin: Client) -> None:
    await refused(lin, f"Bearer {token(header={'crit': ['exp2'], 'exp2': 1})}")


@pytest.mark.parametrize("claims", [{"aud": "forecourt"}, {"aud": ["internal", "other"]}, {"aud": None}, {"iss": "evil"}, {"iss": None}])
async def test_a36_a61_a62_meant_for_another(lin: Client, claims: dict[str, Any]) -> None:
    await refused(lin, f"Bearer {token(**claims)}")


@pytest.mark.parametrize("typ", ["refresh", "id_token", "at+jwt"])
async def test_a36_another_type_of_token(lin: Client, typ: str) -> None:
    await refused(lin, f"Bearer {token(header={'typ': typ})}")


async def test_a37_json_serialisation(lin: Client) -> None:
    head, claims, signature = token().split(".")
    await refused(lin, "Bearer " + json.dumps({"protected": head, "payload": claims, "signatures": [], "signature": signature}))


async def test_a38_only_one_spelling_of_a_token_is_valid(lin: Client) -> None:
    good = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = good[:-1] + alphabet[alphabet.index(good[-1]) + 1]
    for spelling in (good + "=", good + "==", " " + good, good + "!!", good[:50] + "\t" + good[50:], twin):
        await refused(lin, f"Bearer {spelling}")


async def test_identity_headers_of_a_client_mean_nothing(lin: Client) -> None:
    headers = {"authorization": "", "x-user": "owner", "x-permissions": "tags.write", "x-forwarded-user": "owner"}
    assert (await lin.get("/api/v1/counts?day=2026-11-22", headers)).status == 401


async def test_a_token_is_remembered_no_longer_than_it_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier(PUBLIC)
    good = token(exp=ago(-60))
    assert verifier.verify(good).subject == "lin"
    monkeypatch.setattr(jwt, "decode", lambda *args, **kwargs: pytest.fail("verified again"))
    assert verifier.verify(good).has_store(NORTH)
    monkeypatch.undo()
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    assert good in verifier._known
    verifier.verify(good)
    assert verifier._known[good][1] < time.time()
    monkeypatch.undo()
    old = token(exp=ago(120))
    with pytest.raises(Problem):
        verifier.verify(old)
    assert old not in verifier._known


async def test_the_memory_of_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "CACHED", 3)
    verifier = Verifier(PUBLIC)
    for i in range(6):
        verifier.verify(token(subject=f"s{i}"))
    assert len(verifier._known) == 3


async def test_two_keys_are_valid_while_they_rotate() -> None:
    other = Ed25519PrivateKey.generate()
    pem = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    verifier = Verifier(pem, PUBLIC)
    claims = jwt.decode(token(), options={"verify_signature": False})
    assert verifier.verify(jwt.encode(claims, other, "EdDSA")) == verifier.verify(jwt.encode(claims, KEY, "EdDSA"))


def test_a_key_must_be_an_ed25519_public_key() -> None:
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match=r".+"):
        Verifier(private)


async def test_without_the_permission_403(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", TAG, {"idempotency-key": "k", **bearer("lin", ("reports.read",))})
    assert (answer.status, answer.problem) == (403, "forbidden")
    assert (await lin.get("/api/v1/motd", {"authorization": ""})).status == 200


async def written(lin: Client) -> str:
    answer = await lin.post("/api/v1/tags", TAG, {"idempotency-key": "k"})
    return str(answer.json["id"])


async def test_a50_another_stores_thing_is_not_there(lin: Client) -> None:
    tag = await written(lin)
    wu = {**bearer("wu", stores=(SOUTH,)), "if-match": "*"}
    foreign = await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE}, wu)
    missing = await lin.post(f"/api/v1/tags/{SOUTH}/price", {"price": PRICE}, wu)
    assert (foreign.status, foreign.problem) == (missing.status, missing.problem) == (404, "not-found")
    assert {**foreign.json, "instance": ""} == {**missing.json, "instance": ""}
    everywhere = {**bearer("wu", stores=("*",)), "if-match": '"1"'}
    assert (await lin.post(f"/api/v1/tags/{tag}/price", {"price": {**PRICE, "amount": "1.00"}}, everywhere)).status == 200


async def test_a50_a_path_that_names_nothing_is_not_found(lin: Client) -> None:
    for name in ("1", "x'--", "0192F3A4-0000-7000-8000-000000000001", "%00"):
        assert (await lin.post(f"/api/v1/tags/{name}/price", {"price": PRICE}, {"if-match": "*"})).status == 404


async def test_a51_another_stores_id_in_a_body(lin: Client) -> None:
    answer = await lin.post("/api/v1/tags", {**TAG, "store_id": SOUTH}, {"idempotency-key": "k"})
    assert (answer.status, answer.problem) == (422, "unknown-reference")
    assert answer.errors == {"store_id": "does not exist or is not yours"}


async def test_a58_four_eyes(lin: Client) -> None:
    tag = await written(lin)
    answer = await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE}, {"if-match": '"1"'})
    assert (answer.status, answer.problem) == (403, "four-eyes")
    assert answer.json["detail"] == "Who wrote the tag does not change its price."
    chinese = await lin.post(f"/api/v1/tags/{tag}/price", {"price": PRICE}, {"if-match": '"1"', "accept-language": "zh"})
    assert chinese.json["detail"] == "需由他人复核"
