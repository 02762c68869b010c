"""What a listener's command must know before it is decided: which stay of a VIN is open."""

from collections.abc import Mapping

from services.inventory.processes.allocation import RequestCar
from shared.decider import replace
from shared.following import Prepare, Preparing


async def with_stay(command: RequestCar, tx: Preparing) -> RequestCar:
    """The request with the open stay of its VIN, if there is one."""
    stream = await tx.holder("open-stay", command.vin)
    return replace(command, stay_id=stream.removeprefix("stay-") if stream else None)


prepares: Mapping[type, Prepare] = {RequestCar: with_stay}
