"""Cars that come to us from elsewhere, and new owners."""

from fastapi import APIRouter

from services.aftersales.api.refer import customer, shop
from services.aftersales.domain.car import ChangeOwner, EnrolCar
from shared.handling import Done
from shared.web.body import Body, Id, VinText
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewCar(Body):
    vin: VinText
    customer_id: Id
    store_id: Id


class NewOwner(Body):
    customer_id: Id
    store_id: Id


@router.post("/service-cars", status_code=201, summary="Take a car into our care", openapi_extra=needs("service.work"))
async def enrol_car(body: NewCar, call: Call) -> Done:
    """One that we did not deliver; delivered cars come by themselves."""
    await shop(call, body.store_id)
    await customer(call, body.customer_id)
    command = EnrolCar(vin=body.vin, customer_id=body.customer_id, order_id=None, store_id=body.store_id, at=call.at)
    return await call.handle("car", body.vin, command, store_id=body.store_id)


@router.post("/service-cars/{vin}/owner", summary="Record a new owner", openapi_extra=needs("service.work"))
async def change_owner(vin: VinText, body: NewOwner, call: Call) -> Done:
    """The history stays with the car."""
    await shop(call, body.store_id)
    await customer(call, body.customer_id)
    return await call.handle("car", vin, ChangeOwner(customer_id=body.customer_id, store_id=body.store_id, at=call.at))
