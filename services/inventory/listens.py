"""What inventory makes of what the other contexts have told."""

from typing import Any

import structlog

from services.inventory import known
from services.inventory.domain.car import SaleRefused, Sell
from services.inventory.processes.allocation import NoteEarnest, RequestCar, WithdrawCar
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import finance, gateway, orders
from shared.decider import Rejected
from shared.views.table import Put

log = structlog.get_logger()


def listen(heard: Heard) -> list[Effect]:
    """The effects of one public event."""
    match heard.event:
        case orders.OrderPlaced(order_id=order_id, store_id=store_id):
            return [Put(known.orders, known.Order(order_id=order_id, store_id=store_id))]
        case orders.VehicleRequested(request_id=request_id, order_id=order_id, vin=vin, seller_id=seller):
            request = RequestCar(request_id=request_id, order_id=order_id, vin=vin, seller=seller, at=heard.occurred_at)
            return [Send(to=f"allocation-{order_id}", command=request)]
        case orders.VehicleReleaseRequested(request_id=request_id, order_id=order_id, reason=reason):
            withdraw = WithdrawCar(request_id=request_id, reason=reason, at=heard.occurred_at)
            return [Send(to=f"allocation-{order_id}", command=withdraw)]
        case orders.OrderDelivered() as delivered:
            sell = Sell(order_id=delivered.order_id, at=heard.occurred_at)
            return [Send(to=f"stay-{delivered.stay_id}", command=sell, refused=lambda no: _alarm(delivered, no))]
        case finance.PaymentReceived(order_id=order_id, receipt_id=receipt_id, earnest=earnest) if earnest.minor > 0:
            return [Send(to=f"allocation-{order_id}", command=NoteEarnest(receipt_id=receipt_id, at=heard.occurred_at))]
        case event:
            return _places(event)


def _alarm(delivered: orders.OrderDelivered, no: Rejected) -> SaleRefused:
    """A car has left with its customer and our books cannot follow: somebody has to look."""
    log.error("sale refused", stay=delivered.stay_id, order=delivered.order_id, problem=no.problem)
    return SaleRefused(
        stay_id=delivered.stay_id,
        vin=delivered.vin,
        store_id=delivered.store_id,
        order_id=delivered.order_id,
        problem=no.problem,
        reason=no.reason,
    )


def _places(event: Any) -> list[Effect]:
    """Legal entities and stores."""
    match event:
        case gateway.LegalEntityRegistered(entity_id=entity_id, name=name, currency=currency):
            return [Put(known.entities, known.Entity(entity_id=entity_id, name=name, currency=currency))]
        case gateway.StoreOpened():
            store = known.Store(
                store_id=event.store_id,
                code=event.code,
                name=event.name,
                entity_id=event.entity_id,
                timezone=event.timezone,
            )
            return [Put(known.stores, store)]
        case _:
            return []
