"""Composition root of the inventory service."""

from services.inventory import known
from services.inventory.api import cars, catalogue, purchases
from services.inventory.api import transfers as transfer_desk
from services.inventory.domain import stock as stock_of_car
from services.inventory.domain.purchase_order import purchase_order
from services.inventory.domain.stay import stay
from services.inventory.domain.stock_level import stock_level
from services.inventory.domain.transfer import Absent, transfer
from services.inventory.domain.transfer import State as TransferState
from services.inventory.domain.trim import trim
from services.inventory.listens import listen
from services.inventory.prepares import prepares
from services.inventory.processes.allocation import allocation
from services.inventory.publishes import (
    publish_allocation,
    publish_purchase_order,
    publish_stay,
    publish_stock_level,
    publish_transfer,
    publish_trim,
)
from services.inventory.upcasts import stored
from services.inventory.views import purchase_orders, refused_sales, stock, stock_levels, transfers, trims
from shared.deciding import Aggregate
from shared.service import Service


def both_stores(state: TransferState) -> list[str]:
    """Whoever gives and whoever gets the car acts on its transfer."""
    return [] if isinstance(state, Absent) else [state.from_store, state.to_store]


def where(state: stock_of_car.State) -> str | None:
    """The store an event of a car belongs to: where it stands now."""
    return None if isinstance(state, stock_of_car.Absent) else state.store_id


def every_store(state: object) -> None:
    """Stock is the group's: any store's people may reserve a car; what only its own store may do, the routes see to."""


service = Service(
    context="inventory",
    stored=stored,
    aggregates=(
        Aggregate("trim", trim, views=(trims.trim_list,), publish=publish_trim),
        Aggregate("purchase", purchase_order, views=(purchase_orders.purchase_order_list,), publish=publish_purchase_order),
        Aggregate(
            "stay",
            stay,
            views=(stock.stock_list, stock.cost_list, refused_sales.refused_sale_list),
            publish=publish_stay,
            stores=every_store,
            home=where,
        ),
        Aggregate("transfer", transfer, views=(transfers.transfer_list,), publish=publish_transfer, stores=both_stores),
        Aggregate(
            "level",
            stock_level,
            views=(stock_levels.level_list,),
            publish=publish_stock_level,
            stores=lambda level: [level.store_id],
        ),
        Aggregate("allocation", allocation, publish=publish_allocation),
    ),
    tables=known.TABLES,
    topics=("gateway", "orders", "finance"),
    listen=listen,
    prepare=prepares,
    routers=(
        catalogue.router,
        purchases.router,
        cars.router,
        transfer_desk.router,
        trims.router,
        refused_sales.router,
        stock.router,
        purchase_orders.router,
        transfers.router,
        stock_levels.router,
    ),
)
