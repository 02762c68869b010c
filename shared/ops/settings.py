"""What a service must be told at its start: where its servers are and its secrets. All of it comes from FORECOURT_… variables."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SUPERUSERS = frozenset({"postgres", "root", "admin"})
GUESSABLE = ("change", "default", "example", "forecourt", "password", "secret", "test")


def strong(secret: str) -> str:
    """The secret itself. Raises ValueError when it is empty, short or a known default."""
    if len(secret) < 32:
        raise ValueError("a secret needs at least 32 characters")
    if len(set(secret)) < 10 or any(secret.lower().startswith(word) for word in GUESSABLE):
        raise ValueError("this secret can be guessed; make one with `openssl rand -base64 32`")
    return secret


def master_keys(secret: str) -> str:
    """The secret itself. Raises ValueError unless it is base64 of 32 bytes: one key, or several after commas, the current one first."""
    try:
        sizes = {len(base64.b64decode(strong(key), validate=True)) for key in secret.split(",")}
    except binascii.Error as error:
        raise ValueError("a master key must be base64") from error
    if sizes != {32}:
        raise ValueError("a master key must be base64 of exactly 32 bytes")
    return secret


def private_pem(pem: str) -> str:
    """The PEM itself. Raises ValueError unless it holds an Ed25519 private key."""
    try:
        good = isinstance(load_pem_private_key(pem.encode(), None), Ed25519PrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("not a private key in PEM") from error
    if not good:
        raise ValueError("the private key must be Ed25519")
    return pem


def public_pem(pem: str) -> str:
    """The PEM itself. Raises ValueError unless it holds an Ed25519 public key."""
    try:
        good = isinstance(load_pem_public_key(pem.encode()), Ed25519PublicKey)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("not a public key in PEM") from error
    if not good:
        raise ValueError("the public key must be Ed25519")
    return pem


def database(url: str) -> str:
    """The URL itself. Raises ValueError unless it names a database, a user who is not a superuser, and a password."""
    parts = urlsplit(url)
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise ValueError("a database URL looks like postgresql://role:password@host:port/database")
    if not parts.username or parts.username in SUPERUSERS:
        raise ValueError("a service never connects as a superuser: name its writer or reader role")
    if not parts.password:
        raise ValueError("a database URL needs a password")
    return url


Secret = Annotated[str, AfterValidator(strong)]
MasterKeys = Annotated[str, AfterValidator(master_keys)]
Database = Annotated[str, AfterValidator(database)]
PrivatePem = Annotated[str, AfterValidator(private_pem)]
PublicPem = Annotated[str, AfterValidator(public_pem)]


class Settings(BaseSettings):
    """The settings of one service. Raises pydantic's ValidationError, which hides the values, when one is missing or unsafe."""

    model_config = SettingsConfigDict(env_prefix="FORECOURT_", frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)]
    ops_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Health and metrics of this process alone, for one whose port is the public's, or that serves nothing else."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    writer_url: Database
    """Role `<context>_writer`: events, outbox, views, timers."""
    reader_url: Database
    """Role `<context>_reader`: queries, held to the caller's stores by row-level security."""
    vault_url: Database | None = None
    """Only for the contexts that keep personal data."""
    vault_master_key: MasterKeys | None = None
    """Base64 of the 32 bytes that wrap the key of each person; older ones after commas while keys rotate."""
    kafka: Annotated[str, Field(min_length=1)]
    """Bootstrap servers, host:port[,host:port]."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "forecourt"
    """Topics are `<prefix>.<context>`."""
    anchors: Path = Path("var/anchors")
    """Folder to which the state of the store is written every hour; keep it where no writer of the database can change it."""
    redis_url: Annotated[str, Field(min_length=1)]

    internal_public_key: PublicPem
    """By this a service knows the gateway's internal tokens."""
    internal_private_key: PrivatePem | None = None
    """Signs the internal tokens; the gateway only."""
    access_private_key: PrivatePem | None = None
    """Signs the access tokens of people; the gateway only."""
    cursor_secret: Secret
    """Signs paging cursors."""
    index_key: Secret
    """Keys the blind indexes of personal fields."""

    services: dict[str, str] = {}
    """Base URL by context; the gateway only."""
    admin_password: Annotated[str, Field(min_length=8)] | None = None
    """First password of `admin`, to be changed at first login; the gateway only, used while no user exists."""
    demo_password: Annotated[str, Field(min_length=8)] | None = None
    """Password of the demo logins (`admin` too), which count as already changed. None outside the demo; the gateway only."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.vault_url and not self.vault_master_key:
            raise ValueError("FORECOURT_VAULT_MASTER_KEY is missing")
        if self.cursor_secret == self.index_key:
            raise ValueError("FORECOURT_CURSOR_SECRET and FORECOURT_INDEX_KEY must differ")
        return self

    @property
    def reader_role(self) -> str:
        """The role that view tables are granted to."""
        return urlsplit(self.reader_url).username or ""

    def __repr__(self) -> str:
        return f"Settings({self.host}:{self.port})"

    __str__ = __repr__
