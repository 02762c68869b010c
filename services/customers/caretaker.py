"""What can wait a moment: keys of the forgotten are destroyed, contacts from leads become searchable, late stores number their customers."""

import asyncio
from typing import Any

import structlog

from services.customers import known
from services.customers.domain.customer import customer_number, phone_claim
from services.customers.domain.customer_messages import ConfirmErasure, ForgetCustomer, IndexContacts, Indexes, NumberCustomer
from services.customers.fields import indexes_of
from services.customers.views.customer_list import CustomerRow, table
from shared.decider import Rejected
from shared.deciding import Order
from shared.events.envelope import Meta
from shared.events.privacy import Vault, VaultUnavailable
from shared.handling import Handler, Number, Request
from shared.store.protocol import Store, Unavailable
from shared.values.clock import local_day, utc_now
from shared.values.phone import normalise

log = structlog.get_logger()

POLL = 2.0
"""Seconds between two looks when nothing wakes it."""
REST = 0.2
"""Seconds between two looks at least, however many public events there are."""


class Caretaker:
    """Several may run: the vault is called first, then the outcome recorded, and both may be repeated."""

    def __init__(self, store: Store, handler: Handler, vault: Vault) -> None:
        self.store = store
        self.handler = handler
        self.vault = vault
        self._wake = handler.told.listen()

    async def run(self) -> None:
        """Until cancelled. At its start everybody forgotten is forgotten again: records or the vault may have been restored."""
        again = True
        while True:
            try:
                if again:
                    await self.forget_again()
                    again = False
                await self.once()
            except (Unavailable, VaultUnavailable):
                await asyncio.sleep(POLL)
            except Exception:
                log.exception("caretaker failed")
                await asyncio.sleep(POLL)
            await asyncio.sleep(REST)
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), POLL)
            except TimeoutError:
                continue

    async def once(self) -> None:
        """Does all there is to do. Raises VaultUnavailable or Unavailable, and is called again later."""
        for row in await self.store.scan(table, todo="erase"):
            await self._erase(row)
        for row in await self.store.scan(table, todo="index"):
            await self._index(row)
        for row in await self.store.scan(table, number=""):
            await self._number(row)

    async def forget_again(self) -> None:
        """Applies every erasure again: those the records know to the vault, and those only the vault knows to the records.

        Raises VaultUnavailable or Unavailable.
        """
        known = await self.vault.forgotten()
        for row in await self.store.scan(table, status="forgotten"):
            if row.customer_id not in known:
                await self.vault.forget(row.customer_id)
        rows = await self.store.rows(table, [(person,) for person in known])
        for row in rows.values():
            if row.status != "forgotten":
                await self._handle(row, ForgetCustomer(at=utc_now()))

    async def _erase(self, row: CustomerRow) -> None:
        await self.vault.forget(row.customer_id)
        await self._handle(row, ConfirmErasure(at=utc_now()))

    async def _index(self, row: CustomerRow) -> None:
        """A number somebody else has is no reason to refuse the customer: the record is shown as his possible duplicate."""
        phone, email = await self.vault.open_all([row.phone, row.email])
        if phone is None or email is None:
            return
        indexes = indexes_of(self.vault, matchable(phone), email)
        try:
            await self._handle(row, IndexContacts(indexes=indexes, at=utc_now()))
        except Rejected:
            other = await self._holder(row, indexes)
            await self._handle(row, IndexContacts(indexes=indexes, duplicate_of=other, at=utc_now()))

    async def _number(self, row: CustomerRow) -> None:
        """Who was registered before his store was heard of."""
        store: known.Store | None = (await self.store.rows(known.stores, [(row.store_id,)])).get((row.store_id,))
        if store is None or row.status == "forgotten":
            return
        code, day = store.code, local_day(row.registered_at, store.timezone)
        number = Number(series=f"C-{code}", day=day)
        await self._handle(row, lambda n: NumberCustomer(number=customer_number(code, day, n), at=utc_now()), number)

    async def _holder(self, row: CustomerRow, indexes: Indexes) -> str | None:
        claim = phone_claim(row.entity_id, indexes.phone)
        stream = await self.store.holder(claim.kind, claim.key)
        return stream.partition("-")[2] if stream else None

    async def _handle(self, row: CustomerRow, command: Any, number: Number | None = None) -> None:
        order = Order(stream=f"customer-{row.customer_id}", meta=Meta(actor="system", store_id=row.store_id, correlation_id=""))
        await self.handler.handle(Request(order=order, command=command, number=number))


def matchable(phone: str) -> str:
    """A number that may be matched by: one that was read as E.164 where it came from."""
    return normalise(phone, "CN").e164 or "" if phone.startswith("+") else ""


def beside(app: Any, runtime: Any) -> tuple[Any, list[Any]]:
    """The application as it is, with the caretaker running beside it."""
    return app, [Caretaker(runtime.store, runtime.handler, runtime.vault).run()]
