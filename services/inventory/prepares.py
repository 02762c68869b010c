"""What a listener's command must know before it is decided: which stay of a VIN is open, whose order it is."""

from collections.abc import Mapping
from dataclasses import replace

from services.inventory import known
from services.inventory.processes.allocation import RequestCar
from shared.following import Prepare, Preparing


async def with_stay_and_seller(command: RequestCar, tx: Preparing) -> RequestCar:
    """The request with the open stay of its VIN and the seller of its order, as far as they are known."""
    stream = await tx.holder("open-stay", command.vin)
    order = (await tx.rows(known.orders, [(command.order_id,)])).get((command.order_id,))
    return replace(command, stay_id=stream.removeprefix("stay-") if stream else None, seller=order.seller_id if order else None)


prepares: Mapping[type, Prepare] = {RequestCar: with_stay_and_seller}
