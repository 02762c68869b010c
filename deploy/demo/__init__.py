"""Makes a small dealer group by commands through the gateway: `load` may be cut and repeated, and never makes anything twice."""

import time

from deploy.demo.care import look_after, open_bays, run_campaign
from deploy.demo.client import Door
from deploy.demo.group import open_group
from deploy.demo.leads import advance, book_drives, capture, work
from deploy.demo.orders import sell
from deploy.demo.plan import make_plan
from deploy.demo.stock import list_trims, move_cars, receive_cars, watch_levels


async def load(base_url: str, password: str, scale: float = 1.0) -> None:
    """Loads what is not there yet; everybody's password is `password`. A `scale` below 1 makes fewer leads and orders. Raises Refused."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - began:5.1f} s  {text}", flush=True)

    plan = make_plan(scale)
    async with Door(base_url, password) as door:
        group = await open_group(door)
        say(f"{len(group.stores)} stores, {len(group.staff)} people with their shifts")
        await list_trims(group)
        await receive_cars(group, plan)
        await watch_levels(group, plan)
        say(f"{len(group.trims)} models, {len(plan.cars)} cars received")
        await open_bays(group)
        await run_campaign(group)
        leads = await capture(group, plan)
        say(f"{len(leads)} leads captured, graded and assigned")
        await work(group, plan, leads)
        opportunities = await advance(group, plan)
        await book_drives(group, plan, opportunities)
        say(f"{len(opportunities)} opportunities in their stages")
        await sell(group, plan, opportunities)
        await move_cars(group, plan)
        await look_after(group, plan, opportunities)
        say(f"{sum(prospect.outcome == 'delivered' for prospect in plan.prospects)} cars delivered, others on their way")
