"""Who asks: the gateway's internal token, verified once and remembered until it expires."""

import base64
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from shared.web.problems import Problem

ISSUER = "forecourt"
AUDIENCE = "internal"
LEEWAY = 30
"""Seconds two hosts' clocks may differ."""
CACHED = 10_000
_COMPACT = re.compile(r"[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{1,16384}\.([A-Za-z0-9_-]{86})")
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True, slots=True)
class Auth:
    """Who asks and what he may do. `subject` is a staff id (or `partner:<key>`), never a name."""

    subject: str
    permissions: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    all_stores: bool = False

    def may(self, *permissions: str) -> bool:
        """Whether he has any of these."""
        return not self.permissions.isdisjoint(permissions)

    def has_store(self, store_id: str) -> bool:
        """Whether this store is his."""
        return self.all_stores or store_id in self.stores


ANYONE = Auth("anonymous")
"""Who asks on a public route."""


class Authenticator(Protocol):
    """Tells who asks. Raises Problem("unauthenticated") when nobody can tell."""

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """The caller behind the request's headers (names in lower case)."""
        ...


def unauthenticated(reason: str = "invalid_token") -> Problem:
    """401, with the challenge every 401 needs."""
    challenge = "Bearer" if reason == "missing" else f'Bearer error="{reason}"'
    return Problem("unauthenticated", headers={"WWW-Authenticate": challenge})


def bearer(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header. Raises Problem when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated("missing")
    return token


class Verifier:
    """Knows the gateway's tokens by its public keys (PEM; several while keys rotate)."""

    def __init__(self, *pems: str, audience: str = AUDIENCE, typ: str = "JWT") -> None:
        self._keys = [_public_key(pem) for pem in pems]
        self._audience = audience
        self._typ = typ.lower()
        self._known: OrderedDict[str, tuple[Auth, float]] = OrderedDict()

    async def authenticate(self, headers: Mapping[str, str]) -> Auth:
        """The caller behind a bearer token."""
        return self.verify(bearer(headers))

    def verify(self, token: str) -> Auth:
        """The caller a token speaks for. Raises Problem for one that is not ours, not meant for us, or not valid now."""
        if found := self._known.get(token):
            if found[1] > time.time():
                return found[0]
            del self._known[token]
        claims = self.claims(token)
        auth = _auth(claims)
        self._known[token] = auth, claims["exp"] + LEEWAY
        if len(self._known) > CACHED:
            self._known.popitem(last=False)
        return auth

    def claims(self, token: str) -> dict[str, Any]:
        """The verified claims of a token. Raises Problem."""
        self._check_form(token)
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=["EdDSA"],
                    audience=self._audience,
                    issuer=ISSUER,
                    leeway=LEEWAY,
                    options={"require": ["exp", "aud", "iss", "sub"], "strict_aud": True},
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError:
                break
            return claims
        raise unauthenticated()

    def _check_form(self, token: str) -> None:
        """Form and header must be exactly ours: nothing a header names is fetched or looked up."""
        form = _COMPACT.fullmatch(token)
        if form is None or not _canonical(form[1]):
            raise unauthenticated()
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise unauthenticated() from None
        kid = header.get("kid", "none")
        if (
            header.keys() - _HEADER
            or header.get("alg") != "EdDSA"
            or str(header.get("typ", "")).lower() != self._typ
            or not isinstance(kid, str)
            or not _KID.fullmatch(kid)
        ):
            raise unauthenticated()


def _public_key(pem: str) -> Ed25519PublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("The public key must be Ed25519.")
    return key


def _canonical(signature: str) -> bool:
    """The last character of 64 bytes in base64url has unused bits: only one spelling is the token's."""
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(signature + "==")).rstrip(b"=").decode() == signature


def _auth(claims: Mapping[str, Any]) -> Auth:
    subject = claims["sub"]
    lists = [claims.get(name, []) for name in ("permissions", "stores", "roles")]
    if not subject or not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise unauthenticated()
    permissions, stores, roles = (frozenset(names) for names in lists)
    return Auth(subject, permissions, stores - {"*"}, roles, "*" in stores)
