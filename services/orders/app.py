"""The orders service: quotes, orders, their fulfilment and the rules of selling."""

from services.orders import known
from services.orders.api import orders as orders_api
from services.orders.api import quotes as quotes_api
from services.orders.api import rules as rules_api
from services.orders.domain.order import order
from services.orders.domain.quote import quote
from services.orders.domain.rules import rulebook
from services.orders.listens import listen
from services.orders.processes.fulfilment import fulfilment
from services.orders.publishes import publish_fulfilment, publish_order, publish_quote
from services.orders.upcasts import stored
from services.orders.views import fulfilment_book, order_book, quote_book
from services.orders.views import rulebook as rulebook_view
from shared.deciding import Aggregate
from shared.service import Service

service = Service(
    context="orders",
    stored=stored,
    aggregates=(
        Aggregate("quote", quote, views=(quote_book.quote_book,), publish=publish_quote),
        Aggregate("order", order, views=(order_book.order_book,), publish=publish_order),
        Aggregate(
            "fulfilment",
            fulfilment,
            views=(fulfilment_book.fulfilment_book,),
            publish=publish_fulfilment,
            stores=lambda state: [state.store_id],
        ),
        Aggregate("rules", rulebook, views=(rulebook_view.rulebook_view,)),
    ),
    tables=known.TABLES,
    topics=("gateway", "leads", "customers", "inventory", "finance", "orders"),
    listen=listen,
    routers=(
        quotes_api.router,
        orders_api.router,
        rules_api.router,
        quote_book.router,
        order_book.router,
        fulfilment_book.router,
        rulebook_view.router,
    ),
    vault=True,
)
