"""The oracle itself: each kind of damage is seen, named, and gone again when it is undone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.record import Record
from tests.faults.workload import Desk, car, lead, receipt
from tests.faults.world import World
from tests.oracle import Oracle


@contextmanager
def gone(world: World, context: str, table: str, where: str) -> Iterator[None]:
    """The rows are away for as long as the block lasts."""
    with world.database(context) as database:
        database.execute("set session_replication_role = replica")
        rows = database.execute(f"delete from {table} where {where} returning *".encode()).fetchall()
        assert rows
        try:
            yield
        finally:
            for row in rows:
                names = ", ".join(row)
                values = ", ".join(f"%({name})s" for name in row)
                database.execute(f"insert into {table} ({names}) overriding system value values ({values})".encode(), row)


@contextmanager
def changed(world: World, context: str, sql: str, back: str) -> Iterator[None]:
    """A statement, and at the end the one that undoes it."""
    with world.database(context) as database:
        database.execute("set session_replication_role = replica")
        assert database.execute(sql.encode()).rowcount
        try:
            yield
        finally:
            database.execute(back.encode())


DAMAGE: dict[str, Callable[[World, dict[str, str]], Any]] = {
    "a lost event": lambda world, id: gone(world, "inventory", "events", f"stream = 'stay-{id['car']}'"),
    "a gap in a stream": lambda world, id: gone(world, "leads", "events", f"stream = 'lead-{id['lead']}' and version = 1"),
    "a lost answer": lambda world, id: gone(world, "leads", "idempotency", f"stream = 'lead-{id['lead']}'"),
    "a lost row": lambda world, id: gone(world, "inventory", "stock_1", f"stay_id = '{id['car']}'"),
    "a wrong row": lambda world, id: changed(
        world,
        "finance",
        f"update accounts_1 set paid = paid + 1 where order_id = '{id['order']}'",
        f"update accounts_1 set paid = paid - 1 where order_id = '{id['order']}'",
    ),
    "a ledger that is not zero": lambda world, id: gone(world, "finance", "ledger_1", f"order_id = '{id['order']}' and line = 1"),
    "a gap in the numbers": lambda world, id: changed(world, "finance", "update numbers set n = n + 1", "update numbers set n = n - 1"),
}


def test_the_oracle_sees_every_kind_of_damage(world: World, desk: Desk, oracle: Oracle) -> None:
    record, ids = Record(), {"order": desk.order}
    for name, login, command in (("car", "stock", car), ("lead", "colleague", lead), ("receipt", "cashier", receipt)):
        client = desk.client(record, login)
        ids[name] = client.finish(command(desk, client)).id
    oracle.settle()
    blind = []
    for name, damage in DAMAGE.items():
        with damage(world, ids):
            try:
                oracle.check(record)
            except AssertionError:
                continue
            blind.append(name)
    assert blind == []
    oracle.check(record)
