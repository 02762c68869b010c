"""What a request refers to: stores and their workshops, cars in our care, customers, colleagues."""

from dataclasses import dataclass
from datetime import date

from services.aftersales.known import KnownEntity, KnownStore, customers_known, entities_known, staff_known, stores_known
from services.aftersales.views.cars import CarRow, cars
from services.aftersales.workshop import TECHNICIAN
from shared.values.clock import local_day
from shared.web.call import Call
from shared.web.problems import FieldError, Problem


def unknown(field: str) -> Problem:
    """Whatever `field` names does not exist for the caller."""
    return Problem("unknown-reference", errors=[FieldError(field, "unknown")])


@dataclass(frozen=True)
class Shop:
    """A store of the caller's, the currency of its books, and what day it is there."""

    store: KnownStore
    currency: str
    today: date


async def shop(call: Call, store_id: str) -> Shop:
    """A store of the caller's. Raises Problem for any other."""
    store: KnownStore | None = (await call.kit.store.rows(stores_known, [(store_id,)])).get((store_id,))
    if store is None or not call.auth.has_store(store_id):
        raise unknown("store_id")
    entity: KnownEntity | None = (await call.kit.store.rows(entities_known, [(store.entity_id,)])).get((store.entity_id,))
    if entity is None:
        raise unknown("store_id")
    return Shop(store, entity.currency, local_day(call.at, store.timezone))


async def car_in_care(call: Call, vin: str) -> CarRow:
    """A car, of whatever store. Raises Problem when nobody enrolled it."""
    row: CarRow | None = (await call.kit.store.rows(cars, [(vin,)])).get((vin,))
    if row is None:
        raise Problem("vehicle-unknown", "Enrol the car first: POST /service-cars.")
    return row


async def customer(call: Call, customer_id: str) -> str:
    """The customer's id. Raises Problem when there is no such customer."""
    if not await call.kit.store.rows(customers_known, [(customer_id,)]):
        raise unknown("customer_id")
    return customer_id


async def colleague(call: Call, staff_id: str, store_id: str, field: str) -> str:
    """The id of a colleague who works at the store. Raises Problem when there is none."""
    found = (await call.kit.store.rows(staff_known, [(staff_id,)])).get((staff_id,))
    if found is None or not found.enabled or store_id not in found.store_ids:
        raise unknown(field)
    return staff_id


async def technician(call: Call, staff_id: str, store_id: str) -> str:
    """The id of a colleague who works on cars there. Raises Problem when there is none."""
    await colleague(call, staff_id, store_id, "technician_id")
    found = (await call.kit.store.rows(staff_known, [(staff_id,)]))[staff_id,]
    if TECHNICIAN not in found.roles:
        raise unknown("technician_id")
    return staff_id
