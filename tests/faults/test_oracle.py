"""The oracle itself: each kind of damage is seen, named, and gone again when it is undone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from services.leads.known import stores
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


type Damage = Callable[[World, dict[str, str]], AbstractContextManager[None]]

DAMAGE: dict[str, tuple[Damage, str]] = {
    "a lost event": (lambda world, id: gone(world, "inventory", "events", f"stream = 'stay-{id['car']}'"), "inventory: topic stay-{car}: "),
    "a gap in a stream": (
        lambda world, id: gone(world, "leads", "events", f"stream = 'lead-{id['lead']}' and version = 1"),
        "leads: stream {{'stream': 'lead-{lead}'",
    ),
    "a lost answer": (
        lambda world, id: gone(world, "leads", "idempotency", f"stream = 'lead-{id['lead']}'"),
        "; the store has None",
    ),
    "a lost row": (
        lambda world, id: gone(world, "inventory", "stock_1", f"stay_id = '{id['car']}'"),
        "inventory: table stock_1 ('{car}',): stored None",
    ),
    "a wrong row": (
        lambda world, id: changed(
            world,
            "finance",
            f"update accounts_1 set paid = paid + 1 where order_id = '{id['order']}'",
            f"update accounts_1 set paid = paid - 1 where order_id = '{id['order']}'",
        ),
        "finance: table accounts_1 ('{order}',): stored",
    ),
    "a ledger that is not zero": (
        lambda world, id: gone(
            world, "finance", "ledger_1", f"line = 1 and entry_id = (select max(entry_id) from ledger_1 where order_id = '{id['order']}')"
        ),
        "ledger: {{'entity_id'",
    ),
    "a gap in the numbers": (
        lambda world, id: changed(world, "finance", "update numbers set n = n + 1", "update numbers set n = n - 1"),
        "finance: numbers ",
    ),
    "a wrong row about somebody else's thing": (
        lambda world, id: changed(
            world,
            "leads",
            f"update {stores.sql_name} set code = code || '!' where store_id = '{id['store']}'",
            f"update {stores.sql_name} set code = left(code, -1) where store_id = '{id['store']}'",
        ),
        f"leads: table {stores.sql_name} ('{{store}}',): stored",
    ),
    "a wrong entry of the timeline, told by another service": (
        lambda world, id: changed(
            world,
            "customers",
            f"update timeline_1 set type = type || '!' where context = 'orders' and ref_id = '{id['order']}'",
            f"update timeline_1 set type = left(type, -1) where context = 'orders' and ref_id = '{id['order']}'",
        ),
        "customers: table timeline_1 ",
    ),
    "an entry of the timeline under another event, told by another service": (
        lambda world, id: changed(
            world,
            "customers",
            f"update timeline_1 set event_id = event_id || '!' where context = 'orders' and ref_id = '{id['order']}'",
            f"update timeline_1 set event_id = left(event_id, -1) where context = 'orders' and ref_id = '{id['order']}'",
        ),
        "stored None, it should be Entry(",
    ),
    "a mark that is ahead": (
        lambda world, id: changed(
            world,
            "finance",
            f"update marks set sequence = sequence + 1 where stream = 'stay-{id['car']}'",
            f"update marks set sequence = sequence - 1 where stream = 'stay-{id['car']}'",
        ),
        "finance: mark ('inventory', 'stay-{car}'): heard up to",
    ),
    "a lost mark": (
        lambda world, id: gone(world, "finance", "marks", f"stream = 'stay-{id['car']}'"),
        "finance: mark ('inventory', 'stay-{car}'): heard up to None",
    ),
}


def test_the_oracle_sees_every_kind_of_damage_and_says_what_it_is(world: World, desk: Desk, oracle: Oracle) -> None:
    record, ids = Record(), {"order": desk.order, "store": desk.group.values["south"]}
    for name, login, command in (("car", "stock", car), ("lead", "colleague", lead), ("receipt", "cashier", receipt)):
        client = desk.client(record, login)
        ids[name] = client.finish(command(desk, client)).id
    oracle.settle()
    oracle.check(record)
    blind = {}
    for name, (damage, words) in DAMAGE.items():
        said = "nothing"
        with damage(world, ids):
            try:
                oracle.check(record)
            except AssertionError as error:
                said = str(error)
        if words.format(**ids) not in said:
            blind[name] = said
    assert blind == {}
    oracle.check(record)
