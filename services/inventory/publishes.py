"""What of the catalogue, the cars, their transfers and shortages the other contexts get to know."""

from services.inventory.domain import car, purchase_order, stock_level, transfer, trim
from services.inventory.domain.stock import Absent, Hold, OnHand, State
from services.inventory.processes import allocation
from shared.contracts import inventory as public


def publish_trim(event: trim.Event, state: trim.State) -> list[object]:
    """Trims and their prices."""
    match event, state:
        case trim.TrimListed(), _:
            listed = public.TrimListed(
                trim_id=event.trim_id,
                brand=event.brand,
                series=event.series,
                model_year=event.model_year,
                name=event.name,
                powertrain=event.powertrain,
                guide_price=event.guide_price,
            )
            return [listed]
        case trim.PriceListed(), trim.Listed(trim_id=trim_id):
            price = public.PriceListed(
                trim_id=trim_id,
                store_id=event.store_id,
                price=event.price,
                valid_from=event.valid_from,
                valid_to=event.valid_to,
                source=event.source,
            )
            return [price]
        case _:
            return []


def publish_purchase_order(event: purchase_order.Event, state: purchase_order.State) -> list[object]:
    """What was ordered; the cars that come tell of themselves."""
    match event:
        case purchase_order.PurchaseOrdered():
            ordered = public.PurchaseOrdered(
                purchase_order_id=event.purchase_order_id,
                number=event.number,
                supplier=event.supplier,
                store_id=event.store_id,
                entity_id=event.entity_id,
                trim_ids=tuple(dict.fromkeys(line.trim_id for line in event.lines)),
                total=event.total,
            )
            return [ordered]
        case _:
            return []


def publish_stay(event: car.Event, state: State) -> list[object]:
    """The way of a car through the group's stock."""
    if isinstance(event, car.SaleRefused):
        return [_refused_sale(event)]
    if isinstance(state, Absent):
        return []
    match event:
        case car.VehicleReceived():
            return [_received(event)]
        case car.CostAdded():
            added = public.CostAdded(
                stay_id=state.stay_id,
                vin=state.vin,
                cost_id=event.cost_id,
                kind=event.kind,
                supplier=event.supplier,
                amount=event.amount,
                book_cost=event.book_cost,
                late=event.late,
                store_id=state.store_id,
                entity_id=state.entity_id,
            )
            return [added]
        case car.CertificateRedeemed():
            return [public.CertificateRedeemed(vin=state.vin, stay_id=state.stay_id)]
        case car.CarDispatched() | car.CarArrived():
            assert isinstance(state, OnHand)
            return [_moved(event, state)]
        case car.VehicleSold():
            sold = public.VehicleSold(
                vin=event.vin,
                stay_id=event.stay_id,
                trim_id=event.trim_id,
                store_id=event.store_id,
                order_id=event.order_id,
                book_cost=state.book_cost,
            )
            return [sold]
        case car.VehicleReserved() | car.ReservationExtended():
            return _held(state)
        case car.ReservationRefused() | car.VehicleReleased() | car.ReservationExpired():
            return _not_held(event, state)
        case _:
            return []


def _held(state: State) -> list[object]:
    """Who holds the car and until when."""
    match state:
        case OnHand(hold=Hold(wish=wish, until=until)):
            reserved = public.VehicleReserved(
                request_id=wish.request_id,
                order_id=wish.order_id,
                vin=state.vin,
                stay_id=state.stay_id,
                trim_id=state.trim_id,
                store_id=state.store_id,
                certificate=state.certificate,
                until=until,
            )
            return [reserved]
        case _:
            return []


def _not_held(event: car.ReservationRefused | car.VehicleReleased | car.ReservationExpired, state: State) -> list[object]:
    match event, state:
        case car.ReservationRefused(), _:
            refused = public.VehicleRefused(
                request_id=event.request_id,
                order_id=event.order_id,
                vin=event.vin,
                problem=event.problem,
                reason=event.reason,
            )
            return [refused]
        case car.VehicleReleased() | car.ReservationExpired(), OnHand(vin=vin):
            released = public.VehicleReleased(
                request_id=event.request_id,
                order_id=event.order_id,
                vin=vin,
                stay_id=event.stay_id,
                trim_id=event.trim_id,
                store_id=event.store_id,
                reason=event.reason if isinstance(event, car.VehicleReleased) else "expired",
            )
            return [released]
        case _:
            return []


def _received(event: car.VehicleReceived) -> public.VehicleReceived:
    return public.VehicleReceived(
        stay_id=event.stay_id,
        vin=event.vin,
        trim_id=event.trim_id,
        brand=event.brand,
        series=event.series,
        category=event.category,
        store_id=event.store_id,
        entity_id=event.entity_id,
        supplier=event.supplier,
        purchase_order_id=event.purchase_order_id,
        purchase=event.cost.purchase,
        rebate=event.cost.rebate,
        freight=event.cost.freight,
        preparation=event.cost.preparation,
        book_cost=event.book_cost,
        input_vat=event.input_vat,
        acquired_on=event.acquired_on,
        certificate=event.certificate,
    )


def _refused_sale(event: car.SaleRefused) -> public.SaleRefused:
    return public.SaleRefused(
        stay_id=event.stay_id,
        vin=event.vin,
        store_id=event.store_id,
        order_id=event.order_id,
        problem=event.problem,
        reason=event.reason,
    )


def _moved(event: car.CarDispatched | car.CarArrived, state: OnHand) -> public.VehicleDispatched | public.VehicleArrived:
    match event:
        case car.CarDispatched():
            return public.VehicleDispatched(
                transfer_id=event.transfer_id,
                vin=state.vin,
                stay_id=event.stay_id,
                trim_id=event.trim_id,
                from_store=event.from_store,
                to_store=event.to_store,
                from_entity=event.from_entity,
                to_entity=event.to_entity,
                book_cost=state.book_cost,
                order_id=event.order_id,
            )
        case car.CarArrived():
            return public.VehicleArrived(
                transfer_id=event.transfer_id,
                vin=state.vin,
                stay_id=event.stay_id,
                trim_id=event.trim_id,
                brand=state.brand,
                series=state.series,
                acquired_on=state.acquired_on,
                from_store=event.from_store,
                to_store=event.to_store,
                from_entity=event.from_entity,
                to_entity=event.to_entity,
                carrier=event.carrier,
                transport=event.transport,
                book_cost=event.book_cost,
                order_id=event.order_id,
            )


def publish_transfer(event: transfer.Event, state: transfer.State) -> list[object]:
    """Wishes and their end; the car's stay tells when it really moves."""
    match event, state:
        case transfer.TransferRequested(), _:
            requested = public.TransferRequested(
                transfer_id=event.transfer_id,
                number=event.number,
                vin=event.vin,
                stay_id=event.stay_id,
                from_store=event.from_store,
                to_store=event.to_store,
                order_id=event.order_id,
            )
            return [requested]
        case transfer.TransferCancelled(), transfer.Transfer(transfer_id=transfer_id, vin=vin, stay_id=stay_id):
            return [public.TransferCancelled(transfer_id=transfer_id, vin=vin, stay_id=stay_id)]
        case _:
            return []


def publish_stock_level(event: stock_level.Event, state: stock_level.Level) -> list[object]:
    """A shortage and its end."""
    match event:
        case stock_level.StockFellLow(store_id=store_id, trim_id=trim_id, count=count, threshold=threshold):
            return [public.StockLow(store_id=store_id, trim_id=trim_id, count=count, threshold=threshold)]
        case stock_level.StockRecovered(store_id=store_id, trim_id=trim_id, count=count):
            return [public.StockRecovered(store_id=store_id, trim_id=trim_id, count=count)]
        case _:
            return []


def publish_allocation(event: allocation.Event, state: allocation.Allocation) -> list[object]:
    """The no to an order that wants a car nobody has; every other answer is the stay's."""
    match event:
        case allocation.CarUnknown(request_id=request_id, order_id=order_id, vin=vin):
            reason = "No car with this VIN is in stock."
            refused = public.VehicleRefused(
                request_id=request_id, order_id=order_id, vin=vin, problem="vehicle-not-available", reason=reason
            )
            return [refused]
        case _:
            return []
