"""Access tokens for people (minutes, EdDSA) and the one-minute internal tokens that services believe."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from shared.values.ids import new_id
from shared.web.auth import AUDIENCE as INTERNAL
from shared.web.auth import ISSUER, Verifier

PEOPLE = "forecourt-api"
ACCESS_SECONDS = 600
INTERNAL_SECONDS = 60
CACHED = 10_000


@dataclass(frozen=True, kw_only=True)
class Access:
    """What an access token says: who, in which session. Rights are looked up, never carried."""

    staff_id: str
    session_id: str
    expires: int


class Tokens:
    """Signs and verifies with keys parsed once; verified tokens are remembered until they expire."""

    def __init__(self, access_pem: str, internal_pem: str) -> None:
        self._access = _private(access_pem)
        self._internal = _private(internal_pem)
        public = self._access.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self._verifier = Verifier(public, audience=PEOPLE, typ="at+jwt")
        self._known: OrderedDict[str, Access] = OrderedDict()
        self._made: OrderedDict[tuple[Any, ...], tuple[int, str]] = OrderedDict()

    def access(self, staff_id: str, session_id: str) -> str:
        """A signed access token."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": PEOPLE, "sub": staff_id, "sid": session_id, "jti": new_id(), "iat": now, "nbf": now}
        return jwt.encode({**claims, "exp": now + ACCESS_SECONDS}, self._access, "EdDSA", headers={"typ": "at+jwt", "kid": "access"})

    def known(self, headers: Mapping[str, str]) -> Access | None:
        """Who the bearer is, where that costs nothing: his token was verified before."""
        found = self._known.get(headers.get("authorization", "").removeprefix("Bearer "))
        return found if found and found.expires > time.time() else None

    def verify(self, token: str) -> Access:
        """Who the bearer is. Raises Problem("unauthenticated") for anything but an unexpired token of ours."""
        if (known := self._known.get(token)) and known.expires > time.time():
            return known
        claims = self._verifier.claims(token)
        found = Access(staff_id=claims["sub"], session_id=claims["sid"], expires=claims["exp"])
        _remember(self._known, token, found)
        return found

    def internal(self, staff_id: str, roles: tuple[str, ...], permissions: frozenset[str], stores: frozenset[str]) -> str:
        """A token for the services, made anew when less than a quarter of its minute is left."""
        key = (staff_id, roles, permissions, stores)
        now = int(time.time())
        if (made := self._made.get(key)) and made[0] - now > INTERNAL_SECONDS // 4:
            return made[1]
        claims = {"iss": ISSUER, "aud": INTERNAL, "sub": staff_id, "iat": now, "nbf": now, "exp": now + INTERNAL_SECONDS, "jti": new_id()}
        rights = {"roles": sorted(roles), "permissions": sorted(permissions), "stores": sorted(stores)}
        token = jwt.encode({**claims, **rights}, self._internal, "EdDSA")
        _remember(self._made, key, (now + INTERNAL_SECONDS, token))
        return token

    def jwks(self) -> dict[str, Any]:
        """The public key of access tokens."""
        return {"keys": [{**OKPAlgorithm.to_jwk(self._access.public_key(), as_dict=True), "kid": "access", "use": "sig", "alg": "EdDSA"}]}


def _private(pem: str) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    if len(cache) > CACHED:
        cache.popitem(last=False)
