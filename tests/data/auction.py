"""The auction sales of a file, sold again by a dealer group: every car received, ordered, paid, invoiced and delivered by commands."""

import asyncio
import csv
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import batched
from pathlib import Path

from services.finance.domain import account_messages as money
from services.finance.domain.rates import business_day
from services.gateway.domain.authority import GrantAuthority
from services.gateway.domain.store import OpenStore, RegisterLegalEntity
from services.gateway.domain.user import Assigner, CreateUser
from services.inventory.domain.car import LandedCost, ReceiveVehicle
from services.inventory.domain.trim import ListTrim
from services.orders.domain import order_messages as m
from services.orders.domain.approval import Authority
from services.orders.domain.rules import EnactSalesRules, SalesRules
from shared.decider import Rejected
from shared.events.vault import MemoryVault
from shared.handling import Number
from shared.values.clock import local_day
from shared.values.ids import new_id
from shared.values.money import Money
from shared.values.vin import parse_vin
from tests.data.bench import Bench

ZONE = "America/Los_Angeles"
"""The file states every moment on Pacific clocks."""
OPENED = datetime(2014, 1, 1, 8, tzinfo=UTC)
UNKNOWN = "Unknown"
WAVE = 400
"""Orders that go through a stage together."""
WAVES = 4
FEW, MANY = 0.005, 0.4
"""The bench's pause on a day with less than a wave, or more."""
TOGETHER = timedelta(hours=20)
"""Sales closer than this are in flight together: without earnest money a car is held for 24 hours."""
NOTHING = Money(0, "USD")


@dataclass(frozen=True, kw_only=True)
class Sold:
    """A row of the file, as a sale; amounts in cents."""

    line: int
    vin: str
    year: int
    make: str
    model: str
    trim: str
    state: str
    seller: str
    cost: Money
    price: Money
    at: datetime

    @property
    def entry(self) -> tuple[str, str, int, str]:
        """The car's entry in the catalogue, where case makes no difference."""
        return (self.make.casefold(), self.model.casefold(), self.year, self.trim.casefold())


def read(path: Path) -> Iterator[Sold]:
    """The rows of the file in order. ValueError, naming the line, for one that no car can be made of."""
    with path.open(encoding="utf-8-sig", newline="") as rows:
        for line, row in enumerate(csv.DictReader(rows), 2):
            try:
                yield Sold(
                    line=line,
                    vin=parse_vin(row["vin"]),
                    year=int(row["year"]),
                    make=row["make"] or UNKNOWN,
                    model=row["model"] or UNKNOWN,
                    trim=row["trim"] or UNKNOWN,
                    state=row["state"].upper(),
                    seller=row["seller"],
                    cost=dollars(row["mmr"]),
                    price=dollars(row["sellingprice"]),
                    at=datetime.strptime(row["saledate"][4:33], "%b %d %Y %H:%M:%S GMT%z"),
                )
            except (ValueError, ArithmeticError) as error:
                raise ValueError(f"line {line}: {error}") from error


def dollars(text: str) -> Money:
    """An amount of the file. ArithmeticError for text that is none."""
    return Money(int(Decimal(text) * 100), "USD")


def days(sales: Iterable[Sold]) -> Iterator[list[Sold]]:
    """Sales in the order of their time, in groups within which no hold ends."""
    group: list[Sold] = []
    for sale in sorted(sales, key=lambda sale: sale.at):
        if group and sale.at - group[0].at >= TOGETHER:
            yield group
            group = []
        group.append(sale)
    if group:
        yield group


@dataclass
class Car:
    """A sale on its way: the ids its car and its order get."""

    sale: Sold
    stay_id: str = field(default_factory=new_id)
    order_id: str = field(default_factory=new_id)
    customer_id: str = field(default_factory=new_id)


class Auction:
    """A group with one legal entity (USD books, no VAT), a store per state, and the file's sellers as its staff."""

    def __init__(self, bench: Bench, sales: list[Sold]) -> None:
        self.bench = bench
        self.sales = sales
        self.vault = MemoryVault()
        self.entity, self.manager, self.clerk = new_id(), new_id(), new_id()
        self.stores = {state: new_id() for state in sorted({sale.state for sale in sales})}
        self.sellers = {name: new_id() for name in dict.fromkeys(sale.seller for sale in sales)}
        self.trims = {entry: new_id() for entry in dict.fromkeys(sale.entry for sale in sales)}
        self.guides: dict[tuple[str, str, int, str], Money] = {}
        self.rules = SalesRules(
            valid_from=date(2014, 1, 1),
            source="auction house rules",
            minimum_down_permille=1000,
            earnest_limit_permille=0,
            quote_days=7,
            checklist=("keys", "title"),
        )
        self.authority = Authority(role="sales-manager", discount_permille=1000)
        self.delivered: list[Car] = []
        self.refused: Counter[tuple[str, str]] = Counter()

    # --- before the first sale ---------------------------------------------------------------------------------------

    async def open(self) -> None:
        """The legal entity, its stores and people, the catalogue and the rules of the house."""
        do, at = self.bench.do, OPENED
        entity = RegisterLegalEntity(
            entity_id=self.entity, name="Pacific Auto Sales Inc", tax_number="95-0000000", currency="USD", vat_permille=0, at=at
        )
        await do("entity", self.entity, entity, by=self.manager)
        await asyncio.gather(*(self._open_store(state, store_id) for state, store_id in self.stores.items()))
        await asyncio.gather(*(self._hire(n, name, staff_id) for n, (name, staff_id) in enumerate(self.sellers.items())))
        grant = GrantAuthority(role="sales-manager", series="*", discount_permille=1000, at=at)
        await do("authority", "sales-manager-*", grant, by=self.manager)
        await do("rules", "group", EnactSalesRules(rules=self.rules, by=self.manager, at=at), by=self.manager)
        await asyncio.gather(*(self._list(trim_id, found) for trim_id, found in self._catalogue()))
        await self.bench.settle()

    async def _open_store(self, state: str, store_id: str) -> None:
        store = OpenStore(
            store_id=store_id,
            code=state,
            name=f"Auction {state}",
            entity_id=self.entity,
            region=state,
            timezone=ZONE,
            opens="08:00",
            closes="20:00",
            at=OPENED,
        )
        await self.bench.do("store", store_id, store, by=self.manager)

    async def _hire(self, n: int, name: str, staff_id: str) -> None:
        """Nobody logs in with this password."""
        user = CreateUser(
            staff_id=staff_id,
            username=f"seller.{n:05}",
            name=name,
            roles=("sales-consultant",),
            store_ids=("*",),
            password_hash="none",
            must_change=True,
            by=Assigner(id=self.manager, roles=("administrator",), stores=frozenset({"*"})),
            at=OPENED,
        )
        await self.bench.do("user", staff_id, user, by=self.manager)

    def _catalogue(self) -> Iterator[tuple[str, list[Sold]]]:
        by_entry: dict[tuple[str, str, int, str], list[Sold]] = {}
        for sale in self.sales:
            by_entry.setdefault(sale.entry, []).append(sale)
        return ((self.trims[entry], found) for entry, found in by_entry.items())

    async def _list(self, trim_id: str, found: list[Sold]) -> None:
        """The guide price is the highest that was asked or paid for such a car; whatever is below is a discount."""
        first = found[0]
        guide = max(max(sale.cost, sale.price) for sale in found)
        self.guides[first.entry] = guide
        trim = ListTrim(
            trim_id=trim_id,
            brand=first.make,
            series=first.model,
            model_year=first.year,
            name=first.trim,
            powertrain="petrol",
            imported=False,
            guide_price=guide,
            at=OPENED,
        )
        await self.bench.do("trim", trim_id, trim, by=self.clerk)

    # --- the sales ---------------------------------------------------------------------------------------------------

    async def sell_all(self) -> None:
        """Day by day, some waves of orders at once. A car that comes again while it stands there comes again when it is sold."""
        for group in days(self.sales):
            self.bench.clock.turn(group[-1].at)
            self.bench.pause = FEW if len(group) < WAVE else MANY
            left = group
            while left:
                waves, left = list(batched(left, WAVE)), []
                flying = asyncio.Semaphore(WAVES)
                for again in await asyncio.gather(*(self._fly(wave, flying) for wave in waves)):
                    left += again
            self.bench.forget()
        await self.bench.settle()

    async def _fly(self, wave: Iterable[Sold], flying: asyncio.Semaphore) -> list[Sold]:
        """The rows whose car could not come yet."""
        async with flying:
            cars = [Car(sale) for sale in wave]
            came = await asyncio.gather(*(self._receive(car) for car in cars))
            await self._sell([car for car, here in zip(cars, came, strict=True) if here])
            return [car.sale for car, here in zip(cars, came, strict=True) if not here]

    async def _receive(self, car: Car) -> bool:
        sale = car.sale
        command = ReceiveVehicle(
            stay_id=car.stay_id,
            vin=sale.vin,
            trim_id=self.trims[sale.entry],
            brand=sale.make,
            series=sale.model,
            category="used",
            store_id=self.stores[sale.state],
            entity_id=self.entity,
            supplier=sale.seller,
            purchase_order_id=None,
            cost=LandedCost(purchase=sale.cost, rebate=NOTHING, freight=NOTHING, preparation=NOTHING),
            input_vat=NOTHING,
            acquired_on=sale.at.date(),
            certificate="with-us",
            at=sale.at,
        )
        try:
            await self.bench.do("stay", car.stay_id, command, by=self.clerk, store_id=self.stores[sale.state])
        except Rejected as no:
            self.refused["receive", no.problem] += 1
            if no.problem != "vin-in-stock":
                raise
            return False
        return True

    async def _sell(self, cars: list[Car]) -> None:
        """Stage by stage; between them the services tell each other what the next stage needs."""
        orders = [car.order_id for car in cars]

        async def all_are(context: str, table: str, condition: str, key: str = "order_id") -> None:
            ids = orders if key == "order_id" else [car.stay_id for car in cars]
            sql = f"select count(*) from {table} where {key} = any(%s) and {condition}"

            async def so() -> bool:
                return await self.bench.count(context, sql, ids) == len(ids)

            await self.bench.until(so, f"{condition} in {table}")

        async def each(stage: Callable[[Car], Awaitable[None]]) -> None:
            await asyncio.gather(*(stage(car) for car in cars))

        await each(self._order)
        await all_are("orders", "order_book_1", "vehicle = 'held'")
        await each(self._sign)
        await all_are("finance", "accounts_1", "stage = 'contract'")
        await all_are("finance", "cars_1", "status = 'in-stock'", key="stay_id")
        await each(self._pay)
        await all_are("orders", "order_book_1", "paid = price and invoice_number is not null")
        await each(self._deliver)
        await all_are("inventory", "stock_1", "status = 'sold'", key="stay_id")
        self.delivered += cars

    async def _order(self, car: Car) -> None:
        """Placed and submitted by the seller, approved by the manager."""
        sale, do = car.sale, self.bench.do
        store_id, seller, day = self.stores[sale.state], self.sellers[sale.seller], local_day(sale.at, ZONE)
        terms = m.Terms(
            trim_id=self.trims[sale.entry],
            vin=sale.vin,
            list_price=self.guides[sale.entry],
            price=sale.price,
            down_payment=sale.price,
            deliver_on=day,
        )

        def place(n: int) -> m.PlaceOrder:
            placed = m.Sale(
                order_id=car.order_id,
                number=f"SO-{sale.state}-{day:%Y%m%d}-{n:03}",
                store_id=store_id,
                entity_id=self.entity,
                customer_id=car.customer_id,
                opportunity_id=None,
                campaign_id=None,
                channel="auction",
                seller_id=seller,
                quote_id=None,
                vat_permille=0,
                checklist=self.rules.checklist,
            )
            return m.PlaceOrder(sale=placed, terms=terms, at=sale.at)

        await do("order", car.order_id, place, by=seller, store_id=store_id, number=Number(series=f"SO-{sale.state}", day=day))
        await do("order", car.order_id, m.SubmitOrder(by=seller, at=sale.at), by=seller)
        approve = m.ApproveOrder(
            by=self.manager,
            roles=("sales-manager",),
            authorities=(self.authority,),
            minimum_down_permille=self.rules.minimum_down_permille,
            source=self.rules.source,
            at=sale.at,
        )
        await do("order", car.order_id, approve, by=self.manager)

    async def _sign(self, car: Car) -> None:
        sale, seller = car.sale, self.sellers[car.sale.seller]
        document = f"{sale.vin} for {sale.price.minor} cents"
        command = m.SignContract(
            by=seller,
            vin=sale.vin,
            price=sale.price,
            signer=await self.vault.seal(car.customer_id, "The highest bidder"),
            earnest=NOTHING,
            earnest_limit_permille=self.rules.earnest_limit_permille,
            sha256=hashlib.sha256(document.encode()).hexdigest(),
            document=await self.vault.seal(car.customer_id, document),
            at=sale.at,
        )
        await self.bench.do("order", car.order_id, command, by=seller)

    async def _pay(self, car: Car) -> None:
        """All of it at once, and the vehicle sales invoice."""
        sale, day = car.sale, local_day(car.sale.at, ZONE)

        def number(prefix: str, n: int) -> str:
            return f"{prefix}-{sale.state}-{day:%Y%m%d}-{n:03}"

        def receipt(n: int) -> money.TakeReceipt:
            return money.TakeReceipt(
                receipt_id=f"receipt-{car.order_id}",
                number=number("RV", n),
                kind="balance",
                method="transfer",
                amount=sale.price,
                by=self.clerk,
                on=business_day(sale.at),
                at=sale.at,
            )

        def invoice(n: int) -> money.IssueInvoice:
            return money.IssueInvoice(
                invoice_id=f"invoice-{car.order_id}",
                number=number("VI", n),
                stay_id=car.stay_id,
                owner=self.entity,
                by=self.clerk,
                on=business_day(sale.at),
                at=sale.at,
            )

        for series, command in (("RV", receipt), ("VI", invoice)):
            await self.bench.do("account", car.order_id, command, by=self.clerk, number=Number(series=f"{series}-{sale.state}", day=day))

    async def _deliver(self, car: Car) -> None:
        sale, seller = car.sale, self.sellers[car.sale.seller]
        for item in self.rules.checklist:
            await self.bench.do("order", car.order_id, m.CheckItem(by=seller, item=item, passed=True, at=sale.at), by=seller)
        await self.bench.do("order", car.order_id, m.DeliverOrder(by=seller, certificate="with-us", at=sale.at), by=seller)
