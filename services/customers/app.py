"""Composition root of customers."""

from services.customers import api, known
from services.customers.caretaker import beside
from services.customers.domain.customer import Absent, State, customer
from services.customers.listens import listen
from services.customers.prepares import prepares
from services.customers.publishes import publish
from services.customers.upcasts import stored
from services.customers.views import customer_list, history, profile, timeline
from shared.deciding import Aggregate
from shared.service import Service


def stores(state: State) -> list[str]:
    """Whose customer it is."""
    return [] if isinstance(state, Absent) else [state.store_id]


service = Service(
    context="customers",
    stored=stored,
    aggregates=(
        Aggregate(
            "customer",
            customer,
            views=(customer_list.customer_list, history.history, timeline.own_entries),
            publish=publish,
            stores=stores,
        ),
    ),
    tables=(known.stores, known.staff, profile.table),
    topics=("gateway", "leads", "orders", "finance", "inventory", "aftersales"),
    listen=listen,
    also_heard=frozenset({timeline.table.name}),
    prepare=prepares,
    routers=(api.router, customer_list.router, history.router, timeline.router, profile.router),
    vault=True,
    front=beside,
)
