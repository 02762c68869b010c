"""What inventory makes of what the other contexts have told."""

from typing import Any

from services.inventory import known
from services.inventory.domain.car import SaleRefused, Sell
from services.inventory.processes.allocation import NoteEarnest, RequestCar, WithdrawCar
from shared.bus.heard import Effect, Heard, Send
from shared.contracts import finance, gateway, orders
from shared.decider import Rejected
from shared.views.table import Put


def listen(heard: Heard) -> list[Effect]:
    """The effects of one public event."""
    match heard.event:
        case orders.OrderPlaced(order_id=order_id, store_id=store_id, seller_id=seller_id):
            return [Put(known.orders, known.Order(order_id=order_id, store_id=store_id, seller_id=seller_id))]
        case orders.VehicleRequested(request_id=request_id, order_id=order_id, vin=vin):
            request = RequestCar(request_id=request_id, order_id=order_id, vin=vin, at=heard.occurred_at)
            return [Send(to=f"allocation-{order_id}", command=request)]
        case orders.VehicleReleaseRequested(request_id=request_id, order_id=order_id, reason=reason):
            withdraw = WithdrawCar(request_id=request_id, reason=reason, at=heard.occurred_at)
            return [Send(to=f"allocation-{order_id}", command=withdraw)]
        case orders.OrderDelivered(order_id=order_id, stay_id=stay_id):

            def refused(no: Rejected) -> SaleRefused:
                return SaleRefused(order_id=order_id, problem=no.problem, reason=no.reason)

            return [Send(to=f"stay-{stay_id}", command=Sell(order_id=order_id, at=heard.occurred_at), refused=refused)]
        case finance.PaymentReceived(order_id=order_id, receipt_id=receipt_id, earnest=earnest) if earnest.minor > 0:
            return [Send(to=f"allocation-{order_id}", command=NoteEarnest(receipt_id=receipt_id, at=heard.occurred_at))]
        case event:
            return _places(event)


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
