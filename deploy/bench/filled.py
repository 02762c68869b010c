"""Fills views as if many had registered and many cars had come and gone.

Some thousand rows are made by the services' own deciders and folds, with contacts sealed and indexed by the vault; the rest are
these under other ids and dates, a customer's also with contacts of his own, indexed by the same function as at a registration.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from services.customers.domain import customer_messages as said
from services.customers.domain.customer import customer, customer_number
from services.customers.fields import indexes_of, sealed
from services.customers.views.customer_list import customer_list
from services.inventory.domain.car import LandedCost, ReceiveVehicle, Reserve, Sell
from services.inventory.domain.stay import stay
from services.inventory.views.stock import cost_list, stock_list
from shared.decider import Decider
from shared.events.envelope import Meta, Recorded
from shared.events.privacy import KeyRow, Masters, Vault
from shared.events.vault import PostgresVault
from shared.store.statements import text
from shared.values.ids import new_id, new_uuid
from shared.values.money import Money
from shared.views.schema import bare, finish
from shared.views.table import Fold, Table

type Connection = psycopg.AsyncConnection[Any]

CUSTOMERS, PERSONS = 1_000_000, 20_000
"""Of these persons each has a key of his own in the vault: twice as many as a service remembers."""
ON_HAND, SOLD, CARS = 100_000, 100_000, 4_000
STORES, SELLERS = 100, 10
BRANDS, SERIES = ("Aurora", "Borealis", "Meridian"), ("A3", "A5", "E1", "S7")
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
ENTITY = new_id()
META = Meta(actor="lin", store_id=None, correlation_id="filled")


def rows_of(decider: Decider[Any, Any, Any], folds: Sequence[Fold[Any, Any]], stream: str, commands: Iterable[Any]) -> list[Any]:
    """What the folds make of a stream in which these commands were decided."""
    state, version = decider.initial, 0
    rows: list[Any] = [None] * len(folds)
    for command in commands:
        for event in decider.decide(command, state):
            state, version = decider.evolve(state, event), version + 1
            told = Recorded(id=new_uuid(), stream=stream, version=version, event=event, occurred_at=command.at, meta=META)
            rows = [fold.apply(row, told) for fold, row in zip(folds, rows, strict=True)]
    return rows


# --- customers ---------------------------------------------------------------------------------------------------


def phone(number: int) -> str:
    """The telephone number of one of the customers, as it is kept."""
    return f"+861391{number:07}"


def email(number: int) -> str:
    """His address."""
    return f"lin.yue{number}@example.com"


class Bulk(PostgresVault):
    """Keeps new keys in mind, to be written together."""

    def __init__(self, url: str, masters: Masters) -> None:
        super().__init__(url, masters)
        self.url = url
        self.made: list[KeyRow] = []

    async def _keep(self, fresh: KeyRow) -> KeyRow:
        self.made.append(fresh)
        return fresh

    async def write(self) -> None:
        """The keys made so far, as registrations leave them."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            into = "copy keys (kid, person_id, purpose, master, wrapped, expires_at) from stdin"
            async with connection.cursor().copy(into) as copy:
                for row in self.made:
                    await copy.write_row((row.kid, row.person_id, row.purpose, row.master, row.wrapped, row.expires_at))


async def registered(vault: Vault, stores: Sequence[str], sellers: Sequence[str], many: int) -> list[Any]:
    """Rows of customers; some are owners by now, some have been archived."""
    made = []
    for number in range(many):
        person, when = new_id(), BEGAN + timedelta(minutes=number)
        tokens = await sealed(vault, person, {"name": "Lin Yue", "phone": phone(number), "email": email(number)})
        commands: list[Any] = [
            said.RegisterCustomer(
                **tokens,
                customer_id=person,
                number=customer_number("S01", when.date(), number),
                store_id=stores[number % STORES],
                entity_id=ENTITY,
                channel="walk-in",
                seller_id=sellers[number % (STORES * SELLERS)],
                indexes=indexes_of(vault, phone(number), email(number)),
                at=when,
            )
        ]
        if number % 7 == 0:
            commands.append(said.RecordDeal(kind="car", deal_id=new_id(), open=True, at=when))
        if number % 20 == 1:
            commands.append(said.ArchiveCustomer(at=when))
        made += rows_of(customer, [customer_list], f"customer-{person}", commands)
    return made


async def customers(url: str, vault: Vault, stores: Sequence[str], sellers: Sequence[str]) -> None:
    """The list of a million customers, in the database of a superuser's URL."""
    rows = await registered(vault, stores, sellers, PERSONS)
    async with beside(url, "customers", customer_list.table) as connection:
        await connection.execute("create temp table contacts (n int, phone text, phone_last4 text, email text)")
        async with connection.cursor().copy("copy contacts from stdin") as copy:
            for number in range(PERSONS, CUSTOMERS):
                found = indexes_of(vault, phone(number), email(number))
                await copy.write_row((number, found.phone, found.phone_last4, found.email))
        changed = {
            "customer_id": "gen_random_uuid()::text",
            "number": "'C-S01-20240101-' || n",
            "phone_index": "contacts.phone",
            "phone_last4": "contacts.phone_last4",
            "email_index": "contacts.email",
            "registered_at": f"made.registered_at + (n - n % {PERSONS}) * interval '1 minute'",
            "changed_at": f"made.changed_at + (n - n % {PERSONS}) * interval '1 minute'",
        }
        await multiplied(connection, customer_list.table, rows, f"contacts on made.i = n % {PERSONS}", changed)


# --- stock -------------------------------------------------------------------------------------------------------


def vin(number: int) -> str:
    """A VIN of one of the cars."""
    return f"WVWZZZ1J0{number:08}"


def came_and_went(number: int, stores: Sequence[str], trims: Sequence[str], *, sold: bool) -> tuple[Any, Any]:
    """A car's rows in the stock list and of its cost; every tenth of those on hand is reserved."""
    when = BEGAN + timedelta(days=0 if sold else 700, minutes=number)
    cost, nothing = Money(15_000_000, "CNY"), Money(0, "CNY")
    stay_id, order_id, trim = new_id(), new_id(), number % len(trims)
    commands: list[Any] = [
        ReceiveVehicle(
            stay_id=stay_id,
            vin=vin(number),
            trim_id=trims[trim],
            brand=BRANDS[trim % len(BRANDS)],
            series=SERIES[trim % len(SERIES)],
            category="new",
            store_id=stores[number % STORES],
            entity_id=ENTITY,
            supplier="Aurora Manufacturing",
            purchase_order_id=None,
            cost=LandedCost(purchase=cost, rebate=nothing, freight=nothing, preparation=nothing),
            input_vat=nothing,
            acquired_on=when.date(),
            certificate="with-us",
            confirmed_by="lin",
            at=when,
        )
    ]
    if sold or number % 10 == 0:
        commands.append(Reserve(request_id=new_id(), order_id=order_id, by="lin", at=when))
    if sold:
        commands.append(Sell(order_id=order_id, at=when))
    car, price = rows_of(stay, [stock_list, cost_list], f"stay-{stay_id}", commands)
    return car, price


async def cars(url: str, stores: Sequence[str], trims: Sequence[str]) -> None:
    """A hundred thousand cars on hand, in the database of a superuser's URL; as many came before them and are sold."""
    made = [came_and_went(number, stores, trims, sold=number < CARS // 2) for number in range(CARS)]
    async with beside(url, "inventory", stock_list.table, cost_list.table) as connection:
        numbers = f"generate_series({CARS}, {ON_HAND + SOLD - 1}) n"
        copies = f"select n, n % {CARS} as i, gen_random_uuid()::text as stay_id from {numbers}"
        await connection.execute(f"create temp table copies as {copies}".encode())
        changed = {
            "stay_id": "copies.stay_id",
            "vin": "'WVWZZZ1J0' || lpad(n::text, 8, '0')",
            "acquired_on": f"made.acquired_on + n / {CARS} * 5",
            "arrived_at": f"made.arrived_at + n / {CARS} * interval '5 days'",
        }
        join = "copies on made.i = copies.i"
        await multiplied(connection, stock_list.table, [car for car, _ in made], join, changed)
        await multiplied(connection, cost_list.table, [price for _, price in made], join, {"stay_id": "copies.stay_id"})


# --- in bulk -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def beside(superuser: str, context: str, *tables: Table[Any]) -> AsyncIterator[Connection]:
    """Fresh tables without indexes, which take the place of the live ones when they are full, as after a rebuild."""
    async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as connection:
        for command in (f"set role {context}_writer", "create schema filling", "set search_path = filling, public"):
            await connection.execute(command.encode())
        for table in tables:
            await connection.execute(bare(table).encode())
        yield connection
        for table in tables:
            await connection.execute(finish(table, f"{context}_writer", f"{context}_reader").encode())
            await connection.execute(f"drop table public.{table.sql_name}; alter table {table.sql_name} set schema public".encode())
        await connection.execute(b"reset role")
        for table in tables:
            await connection.execute(f"vacuum analyze public.{table.sql_name}".encode())


async def multiplied(connection: Connection, table: Table[Any], rows: Sequence[Any], join: str, changed: Mapping[str, str]) -> None:
    """Writes the rows, then a copy of row `made.i` for each row of the join, with other values in some columns."""
    columns = ", ".join(table.columns)
    shape = ", ".join(f"{column} {kind}" for column, kind in {**table.columns, "i": "int"}.items())
    await connection.execute(f"drop table if exists made; create temp table made ({shape})".encode())
    for start in range(0, len(rows), 1000):
        some = [{**msgspec.to_builtins(row), "i": start + i} for i, row in enumerate(rows[start : start + 1000])]
        await connection.execute(f"insert into made select * from json_to_recordset(%s::json) as x({shape})".encode(), [text(some)])
    await connection.execute(b"analyze made")
    copied = ", ".join(changed.get(column, f"made.{column}") for column in table.columns)
    for select in (f"select {columns} from made", f"select {copied} from made join {join}"):
        await connection.execute(f"insert into {table.sql_name} ({columns}) {select}".encode())
