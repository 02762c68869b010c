"""What must be so when nothing moves any more: processes at their end, cars with one holder, and each service knowing what it was told."""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
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


def wrongly_ended(states: Mapping[str, Any]) -> Iterator[str]:
    """All that the states of a service's streams must not be when nothing moves any more."""
    yield from unfinished(states)
    yield from held_twice(states)
    yield from twice_in_stock(states)


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


def twice_in_stock(states: Mapping[str, Any]) -> Iterator[str]:
    """VINs with two open stays."""
    stays: dict[str, list[str]] = defaultdict(list)
    for stream, state in states.items():
        if isinstance(state, OnHand):
            stays[state.vin].append(stream)
    return (f"{vin} stands twice: {streams}" for vin, streams in stays.items() if len(streams) > 1)


def different(
    table: str, stored: Mapping[Any, Any], wanted: Mapping[Any, Any], same: Callable[[Any, Any], bool] = operator.eq
) -> Iterator[str]:
    """Rows that are not what they should be, by key."""
    for key in wanted.keys() | stored.keys():
        if not same(wanted.get(key), stored.get(key)):
            yield f"table {table} {key}: stored {stored.get(key)}, it should be {wanted.get(key)}"


# --- what was told -----------------------------------------------------------------------------------------------


def mistold(happened: Mapping[str, list[tuple[int, str]]], messages: Iterable[Message]) -> Iterator[str]:
    """Public events that are not in Kafka, are there without having happened, or came first after a later one of their stream.

    `happened` has per stream the sequences and ids of its public events; the same message told again is none of these.
    """
    first: dict[str, dict[str, int]] = defaultdict(dict)
    for envelope in _envelopes(messages):
        first[envelope.stream].setdefault(str(envelope.id), envelope.sequence)
    for stream in happened.keys() | first.keys():
        wanted = happened.get(stream, [])
        there = [(n, id) for id, n in first.get(stream, {}).items()]
        if wanted != there:
            yield f"topic {stream}: {there} published, {wanted} happened"


def last_told(messages: Iterable[Message]) -> dict[str, int]:
    """The highest sequence of each stream."""
    last: dict[str, int] = {}
    for envelope in _envelopes(messages):
        last[envelope.stream] = max(envelope.sequence, last.get(envelope.stream, -1))
    return last


def mismarked(marks: Mapping[tuple[str, str], int], topics: Mapping[str, Iterable[Message]]) -> Iterator[str]:
    """Streams that a service believes to have heard further, or less far, than they were told. `marks` are by source and stream."""
    last = {(source, stream): n for source, messages in topics.items() for stream, n in last_told(messages).items()}
    for key in marks.keys() | last.keys():
        if marks.get(key) != last.get(key):
            yield f"mark {key}: heard up to {marks.get(key)}, told up to {last.get(key)}"


def _envelopes(messages: Iterable[Message]) -> Iterator[Envelope]:
    return (envelope for envelope in map(read, messages) if isinstance(envelope, Envelope))


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
