"""Guards the password: few tries per account and address, few hashes at once, the same time for a name that does not exist."""

import asyncio
import secrets
from datetime import datetime

from pwdlib import PasswordHash

from shared.decider import message
from shared.store.postgres import PostgresStore
from shared.values.ids import new_id
from shared.views.table import Table

TRIES = 5
"""Wrong passwords in WINDOW before an account, and TRIES_ADDRESS before an address, has to wait."""
TRIES_ADDRESS = 50
WINDOW_MINUTES = 15
PARALLEL = 2
"""Argon2 takes 64 MiB and a core for each."""
QUEUE = 20


class TooManyTries(Exception):
    """429: wait."""


class Busy(Exception):
    """503: more logins at once than the machine may hash."""


@message
class AttemptRow:
    attempt_id: str
    account: str
    address: str
    at: datetime


attempts = Table("login_attempts", 1, AttemptRow, key=("attempt_id",), store=None, indexes=("account, at", "address, at"))

_COUNT = f"""select count(*) filter (where account = %(account)s), count(*) filter (where address = %(address)s)
    from {attempts.sql_name} where at > %(at)s - make_interval(mins => {WINDOW_MINUTES}) and (account = %(account)s or address = %(address)s)"""
_ADD = f"insert into {attempts.sql_name} (attempt_id, account, address, at) values (%(id)s, %(account)s, %(address)s, %(at)s)"
_UNDO = f"delete from {attempts.sql_name} where attempt_id = %s"
_FORGET = f"delete from {attempts.sql_name} where account = %(account)s or at < %(at)s - interval '1 day'"


class Passwords:
    """Hashes in threads, a bounded number at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        self._slots = asyncio.Semaphore(PARALLEL)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """An argon2id hash. Raises Busy."""
        async with self._slot():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Whether the password is right; without a hash it takes as long and is wrong. Raises Busy."""
        async with self._slot():
            right = await asyncio.to_thread(self._hasher.verify, password, hashed or self._decoy)
            return right and hashed is not None

    def _slot(self) -> "_Slot":
        return _Slot(self)


class _Slot:
    def __init__(self, passwords: Passwords) -> None:
        self.passwords = passwords

    async def __aenter__(self) -> None:
        if self.passwords._waiting >= QUEUE:
            raise Busy
        self.passwords._waiting += 1
        try:
            await self.passwords._slots.acquire()
        except BaseException:
            self.passwords._waiting -= 1
            raise

    async def __aexit__(self, *error: object) -> None:
        self.passwords._waiting -= 1
        self.passwords._slots.release()


class Attempts:
    """Wrong passwords, kept in PostgreSQL: no restart, and no lost cache, opens the door."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store

    async def enter(self, account: str, address: str, at: datetime) -> str:
        """Counts a try before it is judged, so that parallel guesses count too; its id. Raises TooManyTries."""
        id = new_id()
        values = {"account": account, "address": address, "at": at, "id": id}
        async with self.store.begin() as tx:
            await tx.conn.execute("select pg_advisory_xact_lock(hashtext(%s))", [account])
            found = await (await tx.conn.execute(_COUNT, values)).fetchone()
            if found and (found[0] >= TRIES or found[1] >= TRIES_ADDRESS):
                raise TooManyTries
            await tx.conn.execute(_ADD, values)
        return id

    async def unjudged(self, attempt_id: str) -> None:
        """A try that nobody had time for was none."""
        async with self.store.begin() as tx:
            await tx.conn.execute(_UNDO, [attempt_id])

    async def succeeded(self, account: str, at: datetime) -> None:
        """A right password clears the account."""
        async with self.store.begin() as tx:
            await tx.conn.execute(_FORGET, {"account": account, "at": at})
