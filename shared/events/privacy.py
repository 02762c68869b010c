"""The vault: whatever is personal is sealed under a key of its person, and to forget the person is to destroy that key."""

import base64
import binascii
import hashlib
import hmac
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid4

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.values.ids import uuid_of
from shared.values.personal import TOKEN_PREFIX

PERSON = "person"
"""The purpose of a key that dies when its person is forgotten."""

CACHED_SECONDS = 60.0
CACHED_KEYS = 10_000

_NONCE = 12
_PLAIN = bytes.maketrans(b"-_", b"+/")
_RETENTION = re.compile(r"retention:(2[0-9]{3})")

log = structlog.get_logger()


class VaultUnavailable(Exception):
    """The vault does not answer, so nothing personal can be stored for now (503)."""


@dataclass(frozen=True)
class Masters:
    """The secrets of a running system: masters of 32 bytes by name (`current` wraps new keys), and the secret of blind indexes."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str
    index: bytes = field(repr=False)

    @classmethod
    def of(cls, *keys: bytes, index: bytes) -> Self:
        """The first key is current; a key's name is told by the key itself."""
        named = {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
        return cls(named, next(iter(named)), index)

    @classmethod
    def parse(cls, masters: str, index: str) -> Self:
        """Reads settings: base64 masters, the current one first, older ones after commas; the index secret as text. ValueError if weak."""
        if len(index) < 32:
            raise ValueError("The secret of indexes has at least 32 characters.")
        return cls.of(*map(_secret, masters.split(",")), index=index.encode())

    @classmethod
    def fresh(cls) -> Self:
        """New random secrets."""
        return cls.of(os.urandom(32), index=os.urandom(32))


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A person's key for one purpose, wrapped by `master`."""

    kid: UUID
    person_id: str
    purpose: str
    master: str
    wrapped: bytes = field(repr=False)
    expires_at: datetime | None

    @property
    def bound_to(self) -> bytes:
        """What the wrapping vouches for, so that a row's key cannot be put under another person."""
        return f"{self.kid}/{self.person_id}/{self.purpose}".encode()


class Vault(ABC):
    """Seals and opens personal fields. Whatever the database does, opening masks (None) instead of failing."""

    def __init__(self, masters: Masters, clock: Callable[[], float] = time.monotonic) -> None:
        self._masters = masters
        self._ciphers: _Recent[UUID, AESGCM | None] = _Recent(clock)
        self._kids: _Recent[tuple[str, str], UUID] = _Recent(clock)
        self._index_keys: dict[str, bytes] = {}

    async def seal(self, person_id: str, text: str, purpose: str = PERSON) -> str:
        """The token of `text` under the person's key, which is made (and committed) at first use. The empty string stays empty.

        `purpose` is `person`, or `retention:<yyyy>` for what the law keeps to the end of that year, forgotten or not.
        Raises VaultUnavailable, and Rejected `person-forgotten` for whoever was forgotten.
        """
        if not text:
            return ""
        kid, cipher = await self._sealing(person_id, purpose)
        nonce = os.urandom(_NONCE)
        sealed = kid.bytes + nonce + cipher.encrypt(nonce, text.encode(), kid.bytes)
        return TOKEN_PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    async def seal_optional(self, person_id: str, text: str | None, purpose: str = PERSON) -> str | None:
        """As `seal`; None stays None."""
        return None if text is None else await self.seal(person_id, text, purpose)

    async def open(self, token: str | None) -> str | None:
        """The text of a token; None when its person is forgotten, its time is over, it is no token or the vault is down: show a mask."""
        return (await self.open_all([token]))[0]

    async def open_all(self, tokens: Sequence[str | None]) -> list[str | None]:
        """As `open` for many tokens, with one query for all keys not at hand."""
        parsed = [_parse(token) for token in tokens]
        ciphers = await self._opening({kid for kid, _ in filter(None, parsed)})
        return [
            token if token == "" else _decrypt(ciphers.get(found[0]), *found) if found else None
            for token, found in zip(tokens, parsed, strict=True)
        ]

    def index(self, kind: str, value: str) -> str:
        """The blind index of a normalised value (32 hex digits): equal values of a kind are equal, and nothing else can be told.

        ValueError for an empty value, which would make strangers equal.
        """
        if not value:
            raise ValueError("An empty value has no index.")
        key = self._index_keys.get(kind)
        if key is None:
            derive = HKDF(SHA256(), length=32, salt=None, info=f"forecourt index {kind}".encode())
            key = self._index_keys[kind] = derive.derive(self._masters.index)
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]

    async def forget(self, person_id: str) -> None:
        """Destroys the person's key and those of everyone merged with them; keys under a retention duty stay. Repeating it is harmless.

        Other processes may still open for as long as they cache, a minute at most. Raises VaultUnavailable.
        """
        kids = await self._forget(person_id)
        self._ciphers.drop(kids)
        self._kids.drop([person for person, kid in self._kids.items() if kid in kids])

    def drop_cached(self) -> None:
        """Lets go of every key at hand: for processes that hear that someone was forgotten."""
        self._ciphers.clear()
        self._kids.clear()

    @abstractmethod
    async def link(self, person_id: str, other: str) -> None:
        """The two are one person: to forget either forgets both. Whoever is forgotten is linked to nobody. Raises VaultUnavailable."""

    @abstractmethod
    async def drop_expired(self) -> int:
        """Destroys the keys whose retention is over; says how many. Raises VaultUnavailable."""

    @abstractmethod
    async def forgotten(self) -> set[str]:
        """Everybody who was ever forgotten, by person id. Raises VaultUnavailable."""

    @abstractmethod
    async def rewrap(self, limit: int = 500) -> int:
        """Wraps up to `limit` keys of older masters with the current one; says how many, 0 when all are done. Raises VaultUnavailable."""

    @abstractmethod
    async def behind(self) -> int:
        """How many keys are not wrapped by the current master. Raises VaultUnavailable."""

    @abstractmethod
    async def archive_fails(self) -> bool:
        """Whether its database cannot put its log where it is kept. Raises VaultUnavailable."""

    @abstractmethod
    async def _keep(self, fresh: KeyRow) -> KeyRow:
        """The committed key of this person and purpose: `fresh` if there was none."""

    @abstractmethod
    async def _find(self, kids: Collection[UUID]) -> list[KeyRow]:
        """The keys that still stand and have not expired."""

    @abstractmethod
    async def _forget(self, person_id: str) -> set[UUID]:
        """Marks the person and all linked ones as forgotten; the keys that were destroyed."""

    async def _sealing(self, person_id: str, purpose: str) -> tuple[UUID, AESGCM]:
        kid = self._kids.get((person_id, purpose))
        cipher = self._ciphers.get(kid) if kid else None
        if kid and cipher:
            return kid, cipher
        row = await self._keep(self._new_row(person_id, purpose))
        cipher = self._unwrap(row)
        if cipher is None:
            raise VaultUnavailable("The master of this key is not configured.")
        self._ciphers.put(row.kid, cipher)
        self._kids.put((person_id, purpose), row.kid)
        return row.kid, cipher

    async def _opening(self, kids: set[UUID]) -> dict[UUID, AESGCM | None]:
        ciphers = {kid: self._ciphers.get(kid) for kid in kids if kid in self._ciphers}
        missing = kids - ciphers.keys()
        if not missing:
            return ciphers
        try:
            rows = {row.kid: row for row in await self._find(missing)}
        except VaultUnavailable:
            return ciphers
        for kid in missing:
            ciphers[kid] = self._unwrap(rows[kid]) if kid in rows else None
            self._ciphers.put(kid, ciphers[kid])
        return ciphers

    def _new_row(self, person_id: str, purpose: str) -> KeyRow:
        if purpose != PERSON and not _RETENTION.fullmatch(purpose):
            raise ValueError("A key is for a person or for retention to a year.")
        expires_at = None if purpose == PERSON else datetime(int(purpose[-4:]) + 1, 1, 1, tzinfo=UTC)
        row = KeyRow(kid=uuid4(), person_id=person_id, purpose=purpose, master="", wrapped=b"", expires_at=expires_at)
        return self._wrap(row, AESGCM.generate_key(256))

    def _wrap(self, row: KeyRow, secret: bytes) -> KeyRow:
        nonce = os.urandom(_NONCE)
        wrapped = nonce + AESGCM(self._masters.keys[self._masters.current]).encrypt(nonce, secret, row.bound_to)
        return replace(row, master=self._masters.current, wrapped=wrapped)

    def _rewrapped(self, rows: Iterable[KeyRow]) -> list[KeyRow]:
        return [self._wrap(row, secret) for row in rows if (secret := self._secret_of(row))]

    def _unwrap(self, row: KeyRow) -> AESGCM | None:
        secret = self._secret_of(row)
        return AESGCM(secret) if secret else None

    def _secret_of(self, row: KeyRow) -> bytes | None:
        master = self._masters.keys.get(row.master)
        if master is None:
            return None
        try:
            return AESGCM(master).decrypt(row.wrapped[:_NONCE], row.wrapped[_NONCE:], row.bound_to)
        except InvalidTag:
            log.warning("vault.key_damaged", kid=str(row.kid))
            return None


class _Recent[K, V]:
    """What was learnt within the last minute, the oldest first to go."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[K, tuple[float, V]] = {}

    def __contains__(self, key: K) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry[0] > self._clock()

    def get(self, key: K) -> V | None:
        return self._entries[key][1] if key in self else None

    def put(self, key: K, value: V) -> None:
        now = self._clock()
        self._entries.pop(key, None)
        while self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest][0] > now and len(self._entries) < CACHED_KEYS:
                break
            del self._entries[oldest]
        self._entries[key] = (now + CACHED_SECONDS, value)

    def items(self) -> list[tuple[K, V]]:
        return [(key, value) for key, (_, value) in self._entries.items()]

    def drop(self, keys: Iterable[K]) -> None:
        for key in keys:
            self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32 or len(set(secret)) < 8:
        raise ValueError("A master key is 32 random bytes in base64.")
    return secret


def _parse(token: str | None) -> tuple[UUID, bytes] | None:
    """Key id and sealed bytes of a token, or None."""
    if not token or not token.startswith(TOKEN_PREFIX):
        return None
    try:
        sealed = binascii.a2b_base64(token.encode()[len(TOKEN_PREFIX) :].translate(_PLAIN) + b"==")
    except ValueError:
        return None
    return (uuid_of(int.from_bytes(sealed[:16])), sealed[16:]) if len(sealed) > 16 + _NONCE else None


def _decrypt(cipher: AESGCM | None, kid: UUID, sealed: bytes) -> str | None:
    if cipher is None:
        return None
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], kid.bytes).decode()
    except InvalidTag:
        return None
