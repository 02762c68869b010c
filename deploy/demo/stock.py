"""Fills the demo group's catalogue and stores: trims, cars with landed cost, thresholds, and two transfers."""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial

from deploy.demo.catalogue import SUPPLIERS, TRIMS, Listed
from deploy.demo.client import eventually
from deploy.demo.group import Group, yuan
from deploy.demo.people import STORES
from deploy.demo.plan import Car, Plan

MOVES = 2
"""Cars that go from the first store to the second: one has arrived, one is on the road."""


async def list_trims(group: Group) -> None:
    """The catalogue. Raises Refused."""
    admin = await group.door.person("admin")

    async def add(trim: Listed) -> None:
        body = {"brand": trim.brand, "series": trim.series, "model_year": trim.year, "name": trim.name, "powertrain": trim.powertrain}
        body |= {"imported": trim.brand.startswith("Lanhai"), "guide_price": yuan(trim.price)}
        group.trims[trim.key] = await admin.do("trims", body, key=f"trim {trim.key}")

    await asyncio.gather(*(add(trim) for trim in TRIMS))


async def receive_cars(group: Group, plan: Plan) -> None:
    """Each car with its landed cost, acquired as many days ago as the plan says. Raises Refused."""

    async def receive(car: Car) -> None:
        clerk = await group.of("stock-clerk", car.store)
        body = {
            "vin": car.vin,
            "trim_id": group.trims[car.trim.key],
            "store_id": group.stores[car.store],
            "supplier": "个人车主" if car.category == "used" else SUPPLIERS[car.trim.brand],
            "category": car.category,
            "certificate": car.certificate,
            "acquired_on": (group.day - timedelta(car.days)).isoformat(),
            "purchase": yuan(car.purchase),
            "rebate": yuan(car.rebate),
            "freight": yuan(car.freight),
            "preparation": yuan(car.preparation),
            "input_vat": {"amount": f"{(car.purchase - car.rebate) * 0.13:.2f}", "currency": "CNY"},
        }
        await clerk.do("vehicles", body, key=f"car {car.vin}")

    await asyncio.gather(*(receive(car) for car in plan.cars))


async def watch_levels(group: Group, plan: Plan) -> None:
    """Of what a store has most of, it wants to keep two. Raises Refused."""
    for store, store_id in group.stores.items():
        manager = await group.of("sales-manager", store)
        common = Counter(car.trim.key for car in plan.cars if car.store == store).most_common(3)
        for key, _ in common:
            body = {"store_id": store_id, "trim_id": group.trims[key], "threshold": 2}
            await manager.do("stock-levels", body, key=f"level {store} {key}")


async def move_cars(group: Group, plan: Plan) -> None:
    """Between two stores of one legal entity, one step after the other. Raises Refused."""
    giver, taker = STORES[0].code, STORES[1].code
    sold = {prospect.car.vin for prospect in plan.prospects if prospect.car}
    free = [car for car in plan.cars if car.store == giver and car.category == "new" and car.vin not in sold]
    giving, taking = await group.of("stock-clerk", giver), await group.of("stock-clerk", taker)
    manager = await group.of("sales-manager", giver)
    begun = {transfer["vin"]: transfer["status"] for transfer in await taking.every("transfers")}
    for number, car in enumerate(free[:MOVES]):
        if begun.get(car.vin) == ("dispatched", "received")[number == 0]:
            continue
        id = await taking.do("transfers", {"vin": car.vin, "to_store": group.stores[taker]}, key=f"transfer {car.vin}")
        await manager.do(f"transfers/{id}/approve", key=f"approve transfer {car.vin}")
        await giving.do(f"transfers/{id}/dispatch", {"carrier": "迅达物流"}, key=f"dispatch {car.vin}")
        if number == 0:
            await eventually(partial(taking.get, f"transfers/{id}"), lambda found: found["status"] in ("dispatched", "received"))
            await taking.do(f"transfers/{id}/receive", {"vin": car.vin, "transport": yuan(800)}, key=f"arrival {car.vin}")
