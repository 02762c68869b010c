"""What must be so when nothing moves any more: processes at their end, cars with one holder, and each service knowing what it was told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.inventory.domain.stock import OnHand
from services.inventory.domain.transfer import Transfer
from services.orders.domain.order import Order
from services.orders.processes.fulfilment import Fulfilment
from shared.bus.cloudevents import Envelope, heard, known, read
from shared.bus.protocol import Message
from shared.service import Service
from shared.views.table import Change, Drop, Put, Table

type Known = dict[Table[Any], dict[tuple[Any, ...], Any]]


def unfinished(states: Mapping[str, Any]) -> Iterator[str]:
    """Processes that wait for what will not come: each has its answer, told to whoever asked, or has given everything back."""
    for stream, state in states.items():
        match state:
            case Fulfilment(phase="approved", vin=str()):
                held = state.current()
                answered = held is not None and held.held is not None and held.told >= state.sequence
                denied = any(request.denied for request in state.requests if request.vin == state.vin)
                if not answered and not denied:
                    yield f"{stream} of an approved order has no answer: {state}"
            case Fulfilment(phase="cancelled"):
                if any(request.denied is None for request in state.requests):
                    yield f"{stream} of a cancelled order holds a car: {state}"
            case Transfer(status="dispatching"):
                yield f"{stream} is neither dispatched nor refused: {state}"
            case OnHand(transit=None, sale_awaited=str()):
                yield f"{stream} was handed over and is in stock: {state}"
            case _:
                continue


def held_twice(states: Mapping[str, Any]) -> Iterator[str]:
    """VINs that two living orders have."""
    orders: dict[str, list[str]] = defaultdict(list)
    for stream, state in states.items():
        if isinstance(state, Order) and state.vehicle and state.stage != "cancelled":
            orders[state.vehicle.vin].append(stream)
    return (f"{vin} is held for {streams}" for vin, streams in orders.items() if len(streams) > 1)


def told(service: Service, messages: Iterable[Message]) -> Known:
    """What a service knows of the others, from everything that was published: each event once, those of a stream in order."""
    marks: dict[tuple[str, str], int] = {}
    rows: Known = defaultdict(dict)
    for message in messages:
        envelope = read(message)
        if not isinstance(envelope, Envelope) or not known(envelope):
            continue
        key = (envelope.source, envelope.stream)
        if envelope.sequence <= marks.get(key, -1):
            continue
        marks[key] = envelope.sequence
        for effect in service.listen(heard(envelope, message.value)):
            match effect:
                case Put(table=table, row=row):
                    rows[table][table.key_of(row)] = row
                case Drop(table=table, key=key_of_row):
                    rows[table].pop(key_of_row, None)
                case Change(table=table, key=key_of_row, apply=apply):
                    changed = apply(rows[table].get(key_of_row))
                    if changed is None:
                        rows[table].pop(key_of_row, None)
                    else:
                        rows[table][key_of_row] = changed
                case _:
                    continue
    return rows
