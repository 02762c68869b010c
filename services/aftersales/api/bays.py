"""Opening and closing the bays of a workshop."""

from typing import Annotated

from fastapi import APIRouter

from services.aftersales.api.refer import shop
from services.aftersales.domain.bay import CloseBay, OpenBay
from shared.handling import Done
from shared.values.ids import new_id
from shared.web.body import Body, Clean, Id
from shared.web.call import Call
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class NewBay(Body):
    store_id: Id
    name: Annotated[str, Clean(most=40, least=1, example="Bay 1")]


@router.post("/service-bays", status_code=201, summary="Open a bay", openapi_extra=needs("service.work", "stores.admin"))
async def open_bay(body: NewBay, call: Call) -> Done:
    """One car at a time can be booked in it."""
    await shop(call, body.store_id)
    bay_id = new_id()
    command = OpenBay(bay_id=bay_id, store_id=body.store_id, name=body.name, by=call.staff, at=call.at)
    return await call.handle("bay", bay_id, command, store_id=body.store_id)


@router.post("/service-bays/{bay_id}/close", summary="Close a bay", openapi_extra=needs("service.work", "stores.admin"))
async def close_bay(bay_id: Id, call: Call) -> Done:
    """Nothing more is booked in it; what is booked stays."""
    return await call.handle("bay", bay_id, CloseBay(by=call.staff, at=call.at))
