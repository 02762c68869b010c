"""The people: they sell, reserve, pay, change their minds and ask again when nobody answers; what they were told is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from services.finance.domain.account_messages import ApproveRefund, IssueInvoice, ReverseInvoice, TakeReceipt
from services.finance.domain.standing import Account
from services.inventory.domain.car import ReceiveVehicle, ReleaseReservation, Reserve
from services.inventory.tests.cars import receive
from services.orders.domain.order_messages import CancelOrder, ChangeOrder, DeliverOrder, PlaceOrder, SignContract, SubmitOrder
from services.orders.tests import sale as words
from shared.decider import Rejected
from shared.deciding import Folder, Order
from shared.events.envelope import Meta
from shared.handling import Done, InFlight, Number, Request
from shared.store.protocol import Key, Unavailable
from shared.values.money import Money
from tests.simulation.process import Lost

if TYPE_CHECKING:
    from tests.simulation.world import World

STORE, ENTITY = "bj1", "north"
VINS = ("LFV2A2158N3000001", "LFV2A215XN3000002")
PATIENCE = 6
"""How often somebody tries what is refused."""


@dataclass(eq=False)
class Deed:
    """A command as somebody asked for it, and what he was told in the end."""

    context: str
    stream: str
    key: str
    command: Any
    version: int
    """The stream's when it was first asked."""
    done: Done | None = None
    refused: Rejected | None = None
    until: int = 0
    """The stream's version when it was answered."""
    doubtful: bool = False
    """A copy of it got no answer, or another one: what was refused may have been done by that one, before or after."""


class Client:
    """Asks until there is an answer, always with the same key."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.dice = world.dice

    async def ask(self, context: str, stream: str, command: Any, number: Number | None = None) -> Done | None:
        """The answer; None when the command was refused."""
        world = self.world
        key = f"k{len(world.deeds)}"
        deed = Deed(context, stream, key, command, world.version(context, stream))
        world.deeds.append(deed)
        meta = Meta(actor="li", store_id=STORE, correlation_id=key, causation_id=key)
        request = Request(
            order=Order(stream=stream, meta=meta), command=command, key=Key(subject="li", route=context, key=key), number=number
        )
        while True:
            copies = 2 if world.odds and self.dice.random() < 0.1 else 1
            answers = await asyncio.gather(*(self._once(context, request) for _ in range(copies)), return_exceptions=True)
            deed.doubtful |= any(not isinstance(answer, Rejected) for answer in answers)
            match next((answer for answer in answers if isinstance(answer, Done)), answers[-1]):
                case Done() as done:
                    deed.done = done
                case Rejected() as no:
                    deed.refused = no
                case Lost() | Unavailable() | InFlight():
                    await asyncio.sleep(0.1 + 0.5 * self.dice.random())
                    continue
                case error:
                    raise error
            deed.until = world.version(context, stream)
            return deed.done

    async def _once(self, context: str, request: Request) -> Done:
        process = self.world.any(context)
        if process is None:
            raise Lost
        done = await process.serve(request)
        if self.world.odds and self.dice.random() < self.world.odds.answer:
            raise Lost
        return done

    def state(self, context: str, stream: str) -> Any:
        """What the stored events make of a stream."""
        service = self.world.services[context]
        decider = Folder(service.stored, service.aggregates).of(stream).decider
        history = self.world.stores[context].data.events.get(stream, [])
        return decider.fold(service.stored.decode(row.type, row.type_version, row.data.encode()) for row in history)

    async def think(self, seconds: float = 1.0) -> None:
        """Some time passes."""
        await asyncio.sleep(seconds * (0.2 + self.dice.random()))


async def people(world: "World") -> "list[Seller]":
    """Two cars come in; some want one, under an order or held by hand."""
    await asyncio.gather(*(stock(world, i) for i in range(len(VINS))))
    sellers = [Seller(world, i) for i in range(world.dice.choice((1, 2, 4)))]
    walks = [walk_in(world, i) for i in range(len(VINS)) if world.dice.random() < 0.3]
    await asyncio.gather(*(seller.work() for seller in sellers), *walks)
    return sellers


def stay_of(vin: str) -> str:
    """The stay of a car that comes in once."""
    return f"stay{VINS.index(vin)}"


async def stock(world: "World", i: int) -> None:
    """A car comes in; somebody else enters it too."""
    client = world.client()
    car: ReceiveVehicle = replace(receive, vin=VINS[i], stay_id=f"stay{i}", store_id=STORE, entity_id=ENTITY, at=world.now())
    asks = [client.ask("inventory", f"stay-stay{i}", car)]
    if world.dice.random() < 0.3:
        asks.append(client.ask("inventory", f"stay-again{i}", replace(car, stay_id=f"again{i}")))
    await asyncio.gather(*asks)


async def walk_in(world: "World", i: int) -> None:
    """Somebody has a car held by hand, and lets it go again."""
    client, stay = world.client(), f"stay-{stay_of(VINS[i])}"
    await client.think(6)
    await client.ask("inventory", stay, Reserve(request_id=f"walk{i}", by="wu", queue=True, at=world.now()))
    await client.think(4)
    await client.ask("inventory", stay, ReleaseReservation(request_id=f"walk{i}", by="wu", at=world.now()))


class Seller:
    """One order from its first line to its keys, or to its end."""

    def __init__(self, world: "World", i: int) -> None:
        self.world = world
        self.client = world.client()
        self.id = f"so{i}"
        self.vin = world.dice.choice(VINS)
        self.invoiced = False

    async def order(self, command: Any) -> Done | None:
        """Asks it of the order."""
        return await self.client.ask("orders", f"order-{self.id}", replace(command, at=self.world.now()))

    async def money(self, command: Any) -> Done | None:
        """Asks it of the order's account."""
        return await self.client.ask("finance", f"account-{self.id}", command)

    async def work(self) -> None:
        """Sells the car, unless somebody changes his mind."""
        await self.client.think(self.world.weather.leisure)
        await self._place()
        steps: list[Callable[[], Any]] = [self._submit, self._approve, self._sign, self._pay, self._invoice, self._deliver]
        if self.client.dice.random() < 0.2:
            steps.insert(2, self._change)
        for step in steps:
            if self.client.dice.random() < 0.08 or not await step():
                break
            if self.client.dice.random() < self.world.weather.leisure:
                await self.client.think()
        else:
            return
        await self._cancel()

    async def _place(self) -> None:
        now = self.world.now()
        sold = replace(words.sale, order_id=self.id, store_id=STORE, entity_id=ENTITY, checklist=())
        terms = replace(words.terms, vin=self.vin)

        def place(n: int) -> PlaceOrder:
            return PlaceOrder(sale=replace(sold, number=f"SO-BJ1-{n:03}"), terms=terms, at=now)

        await self.client.ask("orders", f"order-{self.id}", place, number=Number(series="SO-BJ1", day=date(2026, 3, 2)))

    async def _submit(self) -> bool:
        return await self.order(SubmitOrder(by="li", at=words.noon)) is not None

    async def _approve(self) -> bool:
        return await self.order(words.approve) is not None

    async def _change(self) -> bool:
        """Another car after all, or another price for the same: submitted anew."""
        if self.client.dice.random() < 0.7:
            self.vin = VINS[1 - VINS.index(self.vin)]
        terms = replace(words.terms, vin=self.vin, price=words.price - Money(100 * self.client.dice.randrange(3)))
        changed = await self.order(ChangeOrder(by="li", manager=False, terms=terms, reason="the blue one", at=words.noon))
        return changed is not None and await self._approve()

    async def _sign(self) -> bool:
        for _ in range(PATIENCE):
            terms = self.client.state("orders", f"order-{self.id}").terms
            sign = SignContract(
                by="li",
                vin=self.vin,
                price=terms.price,
                signer="~p1.wang",
                earnest=Money(0),
                earnest_limit_permille=200,
                sha256="ab12",
                document="~p1.pdf",
                at=words.noon,
            )
            if await self.order(sign):
                return True
            await self.client.think(2)
        return False

    async def _pay(self) -> bool:
        price = self.client.state("orders", f"order-{self.id}").terms.price
        parts = [price] if self.client.dice.random() < 0.5 else [Money(2_000_000), price - Money(2_000_000)]
        return all([await self._receipt(i, amount, len(parts) > 1 and i == 0) for i, amount in enumerate(parts)])

    async def _receipt(self, i: int, amount: Money, earnest: bool) -> bool:
        for _ in range(PATIENCE):
            at = self.world.now()
            receipt = TakeReceipt(
                receipt_id=f"{self.id}-r{i}",
                number=f"RV-{self.id}-{i}",
                kind="earnest" if earnest else "balance",
                method="transfer",
                amount=amount,
                by="ma",
                on=at.date(),
                at=at,
            )
            if await self.money(receipt):
                return True
            await self.client.think(2)
        return False

    async def _invoice(self) -> bool:
        for _ in range(PATIENCE):
            at = self.world.now()
            invoice = IssueInvoice(
                invoice_id=f"{self.id}-in",
                number=f"IN-{self.id}",
                stay_id=stay_of(self.vin),
                owner=ENTITY,
                by="ma",
                on=at.date(),
                at=at,
            )
            if await self.money(invoice):
                self.invoiced = True
                return True
            await self.client.think(2)
        return False

    async def _deliver(self) -> bool:
        for _ in range(PATIENCE):
            if await self.order(DeliverOrder(by="li", certificate="with-us", at=words.noon)):
                return True
            await self.client.think(2)
        return False

    async def _cancel(self) -> None:
        if self.invoiced:
            await self._reverse()
        await self.order(CancelOrder(by="zhao", manager=True, reason="changed his mind", forfeit=False, at=words.noon))

    async def _reverse(self) -> None:
        at = self.world.now()
        await self.money(ReverseInvoice(invoice_id=f"{self.id}-in", number=f"RED-{self.id}", by="ma", on=at.date(), at=at))

    async def close(self) -> None:
        """What is owed to the customer of a cancelled order is paid back; an invoice that still stands on it is taken back."""
        account = self.client.state("finance", f"account-{self.id}")
        if not isinstance(account, Account):
            return
        if account.stage == "cancelled" and account.invoice:
            await self._reverse()
        for refund in account.asked:
            at = self.world.now() + timedelta(seconds=1)
            await self.money(ApproveRefund(refund_id=refund, number=f"PV-{refund}", by="zhao", on=at.date(), at=at))
