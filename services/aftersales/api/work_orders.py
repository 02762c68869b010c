"""What happens in the workshop: opening a work order, its lines, the customer's consent, the check, handing back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from services.aftersales.api.appointments import Services
from services.aftersales.api.refer import car_in_care, shop, technician, unknown
from services.aftersales.domain import work_order_messages as w
from services.aftersales.views.appointments import appointments
from services.aftersales.views.work_orders import work_orders
from shared.handling import Done, Number
from shared.values.ids import derived_id, new_id
from shared.web.body import Body, Id, Line, NonNegativeAmount, Text, VinText
from shared.web.call import Call
from shared.web.problems import FieldError, Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewWorkOrder(Body):
    """From an appointment, which says car, store and services; or for a walk-in, which names them. `concern`: the customer's words."""

    appointment_id: Id | None = None
    store_id: Id | None = None
    vin: VinText | None = None
    services: Services | None = None
    kilometres: Annotated[int, Field(ge=0, le=3_000_000, examples=[5200])]
    concern: Text = ""


class NewItem(Body):
    """Price and cost are net, for the whole quantity. Labour without a technician is the appointment's."""

    kind: Literal["labour", "part"]
    text: Line
    quantity: Annotated[int, Field(ge=1, le=1000, examples=[1])] = 1
    price: NonNegativeAmount
    cost: NonNegativeAmount
    technician_id: Id | None = None


class Consent(Body):
    consent: Literal["signed", "telephone", "message"]


class Check(Body):
    passed: bool
    note: Text = ""


class Reason(Body):
    reason: Line


@router.post("/work-orders", status_code=201, summary="Open a work order", openapi_extra=needs("service.work"))
async def open_work_order(body: NewWorkOrder, call: Call) -> Done:
    """With a gapless number; a car has one open work order at a time."""
    visit = await visit_of(call, body)
    place, car = await shop(call, visit["store_id"]), await car_in_care(call, visit["vin"])
    customer_id = visit.get("customer_id") or car.customer_id
    work_order_id, concern = new_id(), await call.vault.seal(customer_id, body.concern)
    series = f"WO-{place.store.code}"

    def command(n: int) -> w.OpenWorkOrder:
        return w.OpenWorkOrder(
            work_order_id=work_order_id,
            number=f"{series}-{place.today:%Y%m%d}-{n:03}",
            vin=visit["vin"],
            customer_id=customer_id,
            store_id=place.store.store_id,
            currency=place.currency,
            appointment_id=body.appointment_id,
            services=tuple(visit["services"]),
            kilometres=body.kilometres,
            concern=concern,
            by=call.staff,
            at=call.at,
        )

    number = Number(series=series, day=place.today)
    return await call.handle("workorder", work_order_id, command, number=number, store_id=place.store.store_id)


@router.post("/work-orders/{work_order_id}/items", summary="Add a line", openapi_extra=needs("service.work", key=True))
async def add_item(work_order_id: Id, body: NewItem, call: Call) -> Done:
    """It needs the customer's consent, and the car another check."""
    row = await call.need(f"select store_id, appointment_id from {work_orders.sql_name} where work_order_id = %s", [work_order_id])
    item = w.Item(
        item_id=str(derived_id("item", work_order_id, call.staff, call.key or "")),
        kind=body.kind,
        text=body.text,
        quantity=body.quantity,
        price=body.price,
        cost=body.cost,
        technician_id=await worker(call, body, row),
    )
    return await call.handle("workorder", work_order_id, w.AddItem(item=item, by=call.staff, at=call.at))


@router.post("/work-orders/{work_order_id}/items/{item_id}/decline", summary="Decline a line", openapi_extra=needs("service.work"))
async def decline_item(work_order_id: Id, item_id: Id, call: Call) -> Done:
    """The customer does not want it; the line is kept."""
    return await call.handle("workorder", work_order_id, w.DeclineItem(item_id=item_id, by=call.staff, at=call.at))


@router.post("/work-orders/{work_order_id}/approve", summary="The customer agrees", openapi_extra=needs("service.work"))
async def approve_estimate(work_order_id: Id, body: Consent, call: Call) -> Done:
    """To all lines there are now."""
    return await call.handle("workorder", work_order_id, w.ApproveEstimate(consent=body.consent, by=call.staff, at=call.at))


@router.post("/work-orders/{work_order_id}/check", summary="Check the quality", openapi_extra=needs("service.work"))
async def check_quality(work_order_id: Id, body: Check, call: Call) -> Done:
    """Not by those who worked on the car."""
    command = w.CheckQuality(passed=body.passed, note=body.note, by=call.staff, at=call.at)
    return await call.handle("workorder", work_order_id, command)


@router.post("/work-orders/{work_order_id}/close", summary="Hand the car back", openapi_extra=needs("service.work"))
async def close_work_order(work_order_id: Id, call: Call) -> Done:
    """Only after a quality check that it passed."""
    return await call.handle("workorder", work_order_id, w.CloseWorkOrder(by=call.staff, at=call.at))


@router.post("/work-orders/{work_order_id}/cancel", summary="Cancel a work order", openapi_extra=needs("service.work"))
async def cancel_work_order(work_order_id: Id, body: Reason, call: Call) -> Done:
    """While the customer has agreed to nothing; the number stays used."""
    return await call.handle("workorder", work_order_id, w.CancelWorkOrder(reason=body.reason, by=call.staff, at=call.at))


async def visit_of(call: Call, body: NewWorkOrder) -> dict[str, Any]:
    """Store, car and services of the visit. Raises Problem for an appointment that does not stand, or a walk-in that lacks one of them."""
    if body.appointment_id is None:
        missing = [name for name in ("store_id", "vin", "services") if getattr(body, name) is None]
        if missing:
            raise Problem("validation", errors=[FieldError(name, "missing") for name in missing])
        return {"store_id": body.store_id, "vin": body.vin, "services": body.services}
    row = await call.one(
        f"select store_id, vin, customer_id, services, status from {appointments.sql_name} where appointment_id = %s", [body.appointment_id]
    )
    if row is None:
        raise unknown("appointment_id")
    if row["status"] not in ("booked", "arrived", "missed"):
        raise Problem("illegal-transition", f"This appointment is {row['status']}.")
    given = {"store_id": body.store_id, "vin": body.vin}
    if differing := [name for name, value in given.items() if value is not None and value != row[name]]:
        raise unknown(differing[0])
    return row | ({"services": body.services} if body.services else {})


async def worker(call: Call, body: NewItem, row: dict[str, Any]) -> str | None:
    """Who does the work of a line. Raises Problem when labour is nobody's."""
    if body.technician_id:
        return await technician(call, body.technician_id, row["store_id"])
    if body.kind == "part":
        return None
    booked = await call.one(f"select technician_id from {appointments.sql_name} where appointment_id = %s", [row["appointment_id"]])
    if booked is None:
        raise Problem("validation", errors=[FieldError("technician_id", "missing")])
    found: str = booked["technician_id"]
    return found
