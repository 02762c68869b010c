"""Composition root of the gateway: the identity context, and the door in front of all services."""

from services.gateway.api import auth, people
from services.gateway.audit import audit
from services.gateway.domain.authority import authority
from services.gateway.domain.session import session
from services.gateway.domain.shift import shift
from services.gateway.domain.store import entity, store
from services.gateway.domain.user import user
from services.gateway.door import front
from services.gateway.logins import attempts
from services.gateway.publishes import publish_authority, publish_entity, publish_shift, publish_store, publish_user
from services.gateway.upcasts import stored
from services.gateway.views.places import authority_list, entity_list, session_list, shift_list, store_list
from services.gateway.views.users import user_list
from shared.deciding import Aggregate
from shared.service import Service

service = Service(
    context="gateway",
    stored=stored,
    aggregates=(
        Aggregate("user", user, views=(user_list,), publish=publish_user),
        Aggregate("entity", entity, views=(entity_list,), publish=publish_entity),
        Aggregate("store", store, views=(store_list,), publish=publish_store),
        Aggregate("shift", shift, views=(shift_list,), publish=publish_shift),
        Aggregate("authority", authority, views=(authority_list,), publish=publish_authority),
        Aggregate("session", session, views=(session_list,)),
    ),
    tables=(audit, attempts),
    routers=(auth.router, people.router),
    front=front,
)
