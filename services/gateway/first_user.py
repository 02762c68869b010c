"""The administrator of an empty system: made once, with the password the operator chose, to be changed at first login."""

import structlog

from services.gateway.domain.user import Assigner, CreateUser
from services.gateway.logins import Passwords
from shared.deciding import Order
from shared.events.envelope import Meta
from shared.handling import Request
from shared.runtime import Runtime
from shared.store.protocol import Key
from shared.values.clock import utc_now
from shared.values.ids import new_id

log = structlog.get_logger()

USERNAME = "admin"


async def first_user(running: Runtime) -> None:
    """Creates `admin` unless somebody has that name; several gateways may try at once."""
    password = running.settings.admin_password
    if password is None or await running.store.holder("username", USERNAME):
        return
    staff_id, at = new_id(), utc_now()
    system = Assigner(id="system", roles=("administrator",), stores=frozenset({"*"}))
    command = CreateUser(
        staff_id=staff_id,
        username=USERNAME,
        name="Administrator",
        roles=("administrator",),
        store_ids=("*",),
        password_hash=await Passwords().hash(password),
        must_change=password != running.settings.demo_password,
        by=system,
        at=at,
    )
    meta = Meta(actor="system", store_id=None, correlation_id="first-user")
    key = Key(subject="system", route="first-user", key=USERNAME)
    await running.handler.handle(Request(order=Order(stream=f"user-{staff_id}", meta=meta), command=command, key=key, status=201))
    log.info("administrator created")
