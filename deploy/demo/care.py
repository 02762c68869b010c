"""What surrounds the sale: a campaign before it; appointments, work orders and complaints after it."""

from typing import Any

from deploy.demo.group import Group, yuan
from deploy.demo.people import STORES, login_of
from deploy.demo.plan import Plan, Prospect

BAYS = ("一号工位", "二号工位")
ADVISER = "service-adviser"
COMPLAINTS = (
    ("normal", "交车两天后左前门有异响，希望尽快检查。"),
    ("urgent", "承诺的脚垫和充电桩没有送到，联系不上销售顾问。"),
    ("minor", "洗车后发现后备箱有水渍。"),
)

type Row = dict[str, Any]


async def run_campaign(group: Group) -> None:
    """A test-drive day of the first store: planned, approved by somebody else, and some of its budget spent. Raises Refused."""
    marketing, store = await group.door.person("marketing"), STORES[0].code
    body: Row = {"store_id": group.stores[store], "name": "冬季试驾季", "kind": "test-drive-day", "place": "展厅与周边道路"}
    body |= {"starts_on": group.at(0, 9)[:10], "ends_on": group.at(13, 9)[:10], "goal_leads": 60, "goal_orders": 6, "budget": yuan(60_000)}
    group.campaign = await marketing.do("campaigns", body, key="campaign")
    await marketing.do(f"campaigns/{group.campaign}/submit", key="campaign submitted")
    manager = await group.of("sales-manager", store)
    await manager.do(f"campaigns/{group.campaign}/approve", key="campaign approved")
    spend = {"supplier": "星澜传媒", "purpose": "线上投放", "amount": yuan(18_000)}
    await marketing.do(f"campaigns/{group.campaign}/spend", spend, key="campaign spend")


async def open_bays(group: Group) -> None:
    """Two in each workshop. Raises Refused."""
    for place in STORES:
        adviser = await group.of(ADVISER, place.code)
        there = {bay["name"] for bay in await adviser.every("service-bays")}
        for name in (name for name in BAYS if name not in there):
            await adviser.do("service-bays", {"store_id": group.stores[place.code], "name": name}, key=f"bay {place.code} {name}")


async def look_after(group: Group, plan: Plan, opportunities: dict[str, Row]) -> None:
    """Some who got their car come back: to book, to have it repaired, to complain. Raises Refused."""
    for number, place in enumerate(STORES):
        owners = [one for one in plan.prospects if one.outcome == "delivered" and one.store == place.code]
        for hour, owner in enumerate(owners[:2]):
            await _book(group, owner, hour)
        for owner in owners[2:3]:
            await _repair(group, owner)
        for owner in owners[3:4]:
            await _complain(group, owner, opportunities[owner.phone]["person_id"], *COMPLAINTS[number % len(COMPLAINTS)])


async def _book(group: Group, owner: Prospect, hour: int) -> None:
    assert owner.car
    adviser = await group.of(ADVISER, owner.store)
    booked = await adviser.every("appointments", vin=owner.car.vin)
    if not any("inspection" in one["services"] for one in booked):
        body = {"store_id": group.stores[owner.store], "vin": owner.car.vin, "services": ["inspection"], "note": "行车记录仪加装咨询"}
        await adviser.do("appointments", body | {"starts_at": group.at(2, 10 + hour)}, key=f"appointment {owner.car.vin}")


async def _repair(group: Group, owner: Prospect) -> None:
    """A walk-in: two lines, the customer agrees; where a second adviser can check the work, the car is handed back."""
    assert owner.car
    vin, adviser = owner.car.vin, await group.of(ADVISER, owner.store)
    second = next((login for login in group.staff if login == f"{login_of(ADVISER, owner.store)}.two"), None)
    worker = group.staff[second or login_of(ADVISER, owner.store)]
    body = {"store_id": group.stores[owner.store], "vin": vin, "services": ["repair"], "kilometres": 120, "concern": "右后轮胎被钉子扎破"}
    at = f"work-orders/{await adviser.do('work-orders', body, key=f'work order {vin}')}"
    labour = {"kind": "labour", "text": "更换轮胎、动平衡", "price": yuan(160), "cost": yuan(70), "technician_id": worker}
    part = {"kind": "part", "text": "轮胎 235/50 R19", "price": yuan(980), "cost": yuan(720)}
    await adviser.do(f"{at}/items", labour, key=f"labour {vin}")
    await adviser.do(f"{at}/items", part, key=f"part {vin}")
    await adviser.do(f"{at}/approve", {"consent": "signed"}, key=f"consent {vin}")
    if second:
        await adviser.do(f"{at}/check", {"passed": True, "note": "路试正常"}, key=f"check {vin}")
        await adviser.do(f"{at}/close", key=f"close {vin}")


async def _complain(group: Group, owner: Prospect, customer_id: str, severity: str, text: str) -> None:
    assert owner.car
    adviser = await group.of(ADVISER, owner.store)
    body = {"customer_id": customer_id, "store_id": group.stores[owner.store], "vin": owner.car.vin, "severity": severity, "text": text}
    id = await adviser.do("complaints", body, key=f"complaint {owner.car.vin}")
    manager = group.staff[login_of("sales-manager", owner.store)]
    await adviser.do(f"complaints/{id}/assign", {"staff_id": manager}, key=f"complaint assigned {owner.car.vin}")
