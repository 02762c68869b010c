"""What must be true when all is quiet again, found from what people were told and from the stored events alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from services.finance.domain.car import Car
from services.finance.domain.standing import Account
from services.inventory.domain.stock import OnHand, Sold
from services.orders.domain.order import Order
from services.orders.processes.fulfilment import Fulfilment
from shared.decider import Rejected
from shared.deciding import Folded, Folder, evolve
from shared.events.envelope import Meta, Recorded, sequence
from shared.service import Service
from shared.store.protocol import EventRow
from shared.views.table import Fold, Rows, Table

if TYPE_CHECKING:
    from tests.simulation.sales import Deed
    from tests.simulation.world import World

_meta = msgspec.json.Decoder(Meta)
BY_CLAIM = ("vin-in-stock", "already-invoiced", "quote-already-ordered", "period-closed")
"""Refusals that other streams cause."""


@dataclass
class Told:
    """What the stored events of a service say."""

    states: dict[str, list[Any]] = field(default_factory=dict)
    """Per stream its state at each version, from 0."""
    causes: dict[str, list[str | None]] = field(default_factory=dict)
    public: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[Table[Any], dict[tuple[Any, ...], Any]] = field(default_factory=lambda: defaultdict(dict))

    def last(self, kind: type) -> dict[str, Any]:
        """The streams whose last state is of this kind."""
        return {stream: states[-1] for stream, states in self.states.items() if isinstance(states[-1], kind)}


def faults(world: "World") -> list[str]:
    """Everything that is wrong."""
    told = {context: tell(service, world.stores[context].data.events) for context, service in world.services.items()}
    found = [
        *deeds(world, told),
        *views(world, told),
        *order_heard(world, told),
        *numbers(told["orders"]),
        *cars(told["orders"], told["inventory"]),
        *sales(told),
        *money(told),
    ]
    found += [
        f"{context}: consumer stopped: {p.consumer.alarm}" for p in world.processes for context in [p.service.context] if p.consumer.alarm
    ]
    return found


def tell(service: Service, events: dict[str, list[EventRow]]) -> Told:
    """Folds every stream, with its views and public events, from nothing."""
    folder, told = Folder(service.stored, service.aggregates), Told()
    for stream, history in events.items():
        aggregate = folder.of(stream)
        folded = Folded(state=aggregate.decider.initial)
        told.states[stream], told.causes[stream] = [folded.state], [None]
        for row in history:
            event = service.stored.decode(row.type, row.type_version, row.data.encode())
            meta = _meta.decode(row.meta)
            recorded = Recorded(id=row.id, stream=stream, version=row.version, event=event, occurred_at=row.occurred_at, meta=meta)
            before = dict(folded.rows)
            evolve(aggregate, folded, recorded)
            told.states[stream].append(folded.state)
            told.causes[stream].append(meta.causation_id)
            told.public[stream] += [sequence(row.version, i) for i, _ in enumerate(aggregate.publish(event, folded.state))]
            for view in aggregate.views:
                _show(told, view, before, folded, recorded)
    return told


def _show(told: Told, view: Fold[Any, Any] | Rows[Any, Any], before: dict[Any, Any], folded: Folded, recorded: Recorded[Any]) -> None:
    rows, table = told.rows[view.table], view.table
    if isinstance(view, Rows):
        rows |= {table.key_of(row): row for row in view.apply(recorded)}
        return
    if (old := before.get(view)) is not None:
        rows.pop(table.key_of(old), None)
    if (new := folded.rows[view]) is not None:
        rows[table.key_of(new)] = new


def deeds(world: "World", told: dict[str, Told]) -> Iterator[str]:
    """An acknowledged command took effect once, at the version it was told; a refusal was true while it was asked."""
    for deed in world.deeds:
        service, context = world.services[deed.context], told[deed.context]
        decider = Folder(service.stored, service.aggregates).of(deed.stream).decider
        states = context.states.get(deed.stream, [decider.initial])
        causes = context.causes.get(deed.stream, [None])
        effect = [version for version, cause in enumerate(causes) if cause == deed.key]
        window = range(deed.version, min(deed.until, len(states) - 1) + 1)
        about = f"{deed.context}: {deed.key} on {deed.stream}"
        if effect and len(effect) != (wanted := len(_decide(decider, deed, states[effect[0] - 1]) or ())):
            yield f"{about}: {len(effect)} events at {effect}, one decision makes {wanted}"
        if deed.refused is not None:
            if effect and not deed.doubtful:
                yield f"{about}: refused, yet there are events at {effect}"
            if deed.refused.problem not in BY_CLAIM and not any(_decide(decider, deed, states[v]) is None for v in window):
                yield f"{about}: refused with {deed.refused.problem}, which was at no time true"
        elif deed.done is not None and effect and deed.done.version != effect[-1]:
            yield f"{about}: told version {deed.done.version}, the events are at {effect}"
        elif deed.done is not None and not effect and not any(_decide(decider, deed, states[v]) == [] for v in window):
            yield f"{about}: acknowledged, and nothing happened"


def _decide(decider: Any, deed: "Deed", state: Any) -> list[Any] | None:
    """What the command leads to in a state; None for a refusal."""
    try:
        made: list[Any] = decider.decide(deed.command(1) if callable(deed.command) else deed.command, state)
    except Rejected:
        return None
    return made


def views(world: "World", told: dict[str, Told]) -> Iterator[str]:
    """Live rows equal those of a rebuild."""
    for context, service in world.services.items():
        live = world.stores[context].data.views
        for table in {view.table for aggregate in service.aggregates for view in aggregate.views}:
            rebuilt, stored = told[context].rows[table], live.get(table, {})
            wrong = [key for key in rebuilt.keys() | stored.keys() if rebuilt.get(key) != stored.get(key)]
            yield from (f"{context}: view {table.sql_name} {key}: {stored.get(key)}, rebuilt {rebuilt.get(key)}" for key in sorted(wrong))


def order_heard(world: "World", told: dict[str, Told]) -> Iterator[str]:
    """Every public event arrived, first in its order; the reader took each once, in order."""
    arrived: dict[tuple[str, str], list[int]] = defaultdict(list)
    for topic, stream, n in dict.fromkeys(world.bus.arrived):
        arrived[topic.rpartition(".")[2], stream].append(n)
    shelves = next((rows for table, rows in world.stores["reading"].data.views.items() if table.name == "shelves"), {})
    for context in ("orders", "inventory", "finance"):
        for stream, wanted in told[context].public.items():
            if arrived[context, stream] != wanted:
                yield f"{context}: {stream} published as {arrived[context, stream]}, happened as {wanted}"
            if wanted and (taken := list(shelves[stream,].numbers if (stream,) in shelves else ())) != wanted:
                yield f"reading: {stream} heard as {taken}, happened as {wanted}"


def numbers(told: Told) -> Iterator[str]:
    """Orders are numbered without a gap."""
    given = sorted(order.sale.number for order in told.last(Order).values())
    if given != [f"SO-BJ1-{n:03}" for n in range(1, len(given) + 1)]:
        yield f"orders: numbered {given}"


def cars(orders: Told, inventory: Told) -> Iterator[str]:
    """One stay per VIN; a car is held for an order that lives and knows it (or was delivered, with an alarm), and an order's car for it."""
    stays = inventory.last(OnHand)
    twice = [vin for vin, n in Counter(stay.vin for stay in (*stays.values(), *inventory.last(Sold).values())).items() if n > 1]
    yield from (f"inventory: {vin} came in twice" for vin in twice)
    held = {stay.hold.wish.order_id: stay for stay in stays.values() if stay.hold and stay.hold.wish.order_id}
    living = {o.sale.order_id: o for o in orders.last(Order).values() if o.stage not in ("cancelled", "delivered")}
    refused = {row.order_id for row in alarms(inventory)}
    for order_id, stay in held.items():
        order = living.get(order_id)
        if (order is None or order.terms.vin != stay.vin) and order_id not in refused:
            yield f"inventory: {stay.vin} is held for {order_id}, which does not want it"
    for order_id, order in living.items():
        car = held.get(order_id)
        asked = order.stage in ("approved", "signed")
        if asked and (order.vehicle.vin if order.vehicle else None) != (car.vin if car else None):
            yield f"orders: {order_id} has {order.vehicle}, inventory holds {car.hold if car else None}"
    for stream, process in orders.last(Fulfilment).items():
        if [r for r in process.requests if r.alive and r.held is None]:
            yield f"orders: {stream} waits for an answer"


def alarms(inventory: Told) -> list[Any]:
    """Hand-overs that stock could not enter: somebody has to look."""
    return [row for table, rows in inventory.rows.items() if table.name == "refused_sales" for row in rows.values()]


def sales(told: dict[str, Told]) -> Iterator[str]:
    """A delivered order sold one car, in stock and in the books, or stock has raised the alarm; a cancelled one sold none."""
    sold = {stay.order_id: stay for stay in told["inventory"].last(Sold).values()}
    alarmed = {row.order_id for row in alarms(told["inventory"])}
    booked = {car.sold: car for car in told["finance"].last(Car).values() if car.sold}
    accounts = {account.order_id: account for account in told["finance"].last(Account).values()}
    for stream, order in told["orders"].last(Order).items():
        order_id, delivered = order.sale.order_id, order.stage == "delivered"
        if order_id in alarmed:
            continue
        if delivered != (order_id in sold) or delivered != (order_id in booked):
            yield f"{stream} is {order.stage}: inventory sold {order_id in sold}, finance booked {order_id in booked}"
        account = accounts.get(order_id)
        if account is None or ((order.stage in ("delivered", "cancelled")) and account.stage != order.stage):
            yield f"{stream} is {order.stage}: its account is {account.stage if account else None}"
        elif order.stage != "cancelled" and (account.paid, account.price) != (order.paid.minor, order.terms.price.minor):
            yield f"{stream}: {order.paid} of {order.terms.price}; its account {account.paid} of {account.price}"


def money(told: dict[str, Told]) -> Iterator[str]:
    """Debits equal credits; a cancelled order leaves nothing; the stock account is the book cost of what is in stock."""
    lines = [row for table, rows in told["finance"].rows.items() if table.name == "ledger" for row in rows.values()]
    by_entry: Counter[str] = Counter()
    by_order: Counter[tuple[str, str]] = Counter()
    for line in lines:
        by_entry[line.entry_id] += line.amount
        if line.order_id is not None:
            by_order[line.order_id, line.account] += line.amount
    yield from (f"finance: entry {entry} sums to {rest}" for entry, rest in by_entry.items() if rest)
    over = {account.order_id for account in told["finance"].last(Account).values() if account.stage == "cancelled"}
    left = [(key, rest) for key, rest in by_order.items() if rest and key[0] in over]
    yield from (f"finance: {key} of a cancelled order has {rest} left" for key, rest in left)
    stock = sum(line.amount for line in lines if line.account == "1405")
    alarmed = {row.stay_id for row in alarms(told["inventory"])}
    cost = sum(stay.book_cost.minor for stay in told["inventory"].last(OnHand).values() if stay.stay_id not in alarmed)
    if stock != cost:
        yield f"finance: 1405 has {stock}, the cars in stock cost {cost}"
