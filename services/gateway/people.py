"""Who is behind a token now: his roles, permissions and stores, at most a few seconds old, so that what is taken away is gone at once."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from services.gateway.domain.roles import permissions
from services.gateway.tokens import Access
from services.gateway.views.places import sessions
from services.gateway.views.users import UserRow, users
from shared.store.postgres import PostgresStore
from shared.web.auth import unauthenticated

FRESH_SECONDS = 5.0
CACHED = 10_000


@dataclass(frozen=True, kw_only=True)
class Person:
    """A logged-in member of staff."""

    staff_id: str
    session_id: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    stores: frozenset[str]
    must_change: bool


class People:
    """Looks people up by the store's writer role, whose table knows every session."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self._known: OrderedDict[Access, tuple[float, Person]] = OrderedDict()

    async def person(self, access: Access) -> Person:
        """The person of a verified token. Raises Problem("unauthenticated") when he is disabled or the session has ended."""
        if (known := self._known.get(access)) and known[0] > time.monotonic():
            return known[1]
        user: UserRow | None = (await self.store.rows(users, [(access.staff_id,)])).get((access.staff_id,))
        session = (await self.store.rows(sessions, [(access.session_id,)])).get((access.session_id,))
        if user is None or user.disabled or session is None or session.ended or session.staff_id != user.staff_id:
            raise unauthenticated()
        found = Person(
            staff_id=user.staff_id,
            session_id=access.session_id,
            roles=user.roles,
            permissions=permissions(user.roles),
            stores=frozenset(user.store_ids),
            must_change=user.must_change,
        )
        self._known[access] = (time.monotonic() + FRESH_SECONDS, found)
        if len(self._known) > CACHED:
            self._known.popitem(last=False)
        return found

    def forget(self, staff_id: str) -> None:
        """The next request of this person looks him up again."""
        for access in [access for access in self._known if access.staff_id == staff_id]:
            del self._known[access]
