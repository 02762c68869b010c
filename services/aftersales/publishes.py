"""What after-sales tells the other contexts of its private events."""

from typing import Any

from services.aftersales.domain import appointment, car, complaint, work_order
from services.aftersales.domain.appointment import Appointment, AppointmentBooked, AppointmentCancelled, AppointmentMoved
from services.aftersales.domain.car import Car, CarEnrolled, OwnerChanged
from services.aftersales.domain.complaint import Complaint, ComplaintOpened, ComplaintReopened, ComplaintResolved
from services.aftersales.domain.work_order import WorkOrder
from services.aftersales.domain.work_order_messages import Event as WorkOrderEvent
from services.aftersales.domain.work_order_messages import WorkOrderClosed, WorkOrderOpened
from shared.contracts import aftersales as public


def publish_car(event: car.Event, state: car.State) -> list[Any]:
    """A car in our care, each time it is a new owner's; `order_id` is empty when we did not deliver it."""
    match event, state:
        case ((CarEnrolled() | OwnerChanged()), Car()):
            return [
                public.VehicleEnrolled(vin=state.vin, customer_id=event.customer_id, order_id=event.order_id or "", store_id=event.store_id)
            ]
        case _:
            return []


def publish_appointment(event: appointment.Event, state: appointment.State) -> list[Any]:
    """A booked time, told again when it moves, and its end when it is called off."""
    match event, state:
        case ((AppointmentBooked(slot=slot) | AppointmentMoved(slot=slot)), Appointment()):
            return [
                public.AppointmentBooked(
                    appointment_id=state.appointment_id,
                    vin=state.vin,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                    services=state.services,
                )
            ]
        case AppointmentCancelled(), Appointment():
            return [public.AppointmentCancelled(appointment_id=state.appointment_id, vin=state.vin, customer_id=state.customer_id)]
        case _:
            return []


def publish_work_order(event: WorkOrderEvent, state: work_order.State) -> list[Any]:
    """Work begun, and work done with its price and cost."""
    match event, state:
        case WorkOrderOpened(), WorkOrder():
            return [
                public.WorkOrderOpened(
                    work_order_id=state.work_order_id,
                    number=state.number,
                    vin=state.vin,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                )
            ]
        case WorkOrderClosed(price=price, cost=cost), WorkOrder():
            return [
                public.WorkOrderClosed(
                    work_order_id=state.work_order_id,
                    number=state.number,
                    vin=state.vin,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                    kilometres=state.kilometres,
                    services=state.services,
                    price=price,
                    cost=cost,
                )
            ]
        case _:
            return []


def publish_complaint(event: complaint.Event, state: complaint.State) -> list[Any]:
    """A complaint, told again when it is opened again, and its resolution."""
    match event, state:
        case ((ComplaintOpened() | ComplaintReopened()), Complaint()):
            return [
                public.ComplaintOpened(
                    complaint_id=state.complaint_id,
                    number=state.number,
                    customer_id=state.customer_id,
                    store_id=state.store_id,
                    vin=state.vin,
                    due_at=state.due_at,
                )
            ]
        case ComplaintResolved(), Complaint():
            return [public.ComplaintResolved(complaint_id=state.complaint_id, customer_id=state.customer_id)]
        case _:
            return []
