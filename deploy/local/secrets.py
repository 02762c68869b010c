"""The secrets of one machine: made once at the first start, kept in a file that only its owner reads."""

import base64
import json
import os
import secrets
import string
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploy.local.plan import DATABASES
from deploy.local.process import Problem

LETTERS = string.ascii_letters + string.digits


def password(length: int = 32) -> str:
    """Random letters and digits: safe in a URL, a config line and on a keyboard."""
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def generated() -> dict[str, str]:
    """A fresh set of all secrets that services and their servers need."""
    internal, access = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    return {
        "postgres_password": password(),
        "vault_postgres_password": password(),
        "redis_password": password(),
        **{f"{name}_{role}_password": password() for name in DATABASES for role in ("writer", "reader")},
        "vault_master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "internal_private_key": _private(internal),
        "internal_public_key": internal.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "access_private_key": _private(access),
        "cursor_secret": password(48),
        "index_key": password(48),
        "admin_password": password(14),
        "demo_password": password(14),
    }


def _private(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def kept(path: Path, chosen: Mapping[str, str] = {}) -> dict[str, str]:
    """The secrets in `path`, made there at the first call; `chosen` ones are taken instead of random ones then.

    Raises Problem when the file is damaged.
    """
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        found = dict(chosen)
    except ValueError as error:
        raise Problem(f"{path} is damaged: put it back from a backup, or run `make reset` to start with nothing.") from error
    whole = {**generated(), **found}
    if whole != found:
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(whole, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    return whole
