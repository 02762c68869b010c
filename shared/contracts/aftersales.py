"""What after-sales tells: cars in its care, appointments, work orders, complaints."""

from datetime import datetime

from shared.contracts import published
from shared.values.money import Money


@published("aftersales.VehicleEnrolled")
class VehicleEnrolled:
    vin: str
    customer_id: str
    order_id: str
    store_id: str


@published("aftersales.AppointmentBooked")
class AppointmentBooked:
    appointment_id: str
    vin: str
    customer_id: str
    store_id: str
    starts_at: datetime
    ends_at: datetime
    services: tuple[str, ...]


@published("aftersales.AppointmentCancelled")
class AppointmentCancelled:
    appointment_id: str
    vin: str
    customer_id: str


@published("aftersales.WorkOrderOpened")
class WorkOrderOpened:
    work_order_id: str
    number: str
    vin: str
    customer_id: str
    store_id: str


@published("aftersales.WorkOrderClosed")
class WorkOrderClosed:
    """Handed back after the quality check. Amounts are net."""

    work_order_id: str
    number: str
    vin: str
    customer_id: str
    store_id: str
    kilometres: int
    services: tuple[str, ...]
    price: Money
    cost: Money


@published("aftersales.ComplaintOpened")
class ComplaintOpened:
    complaint_id: str
    number: str
    customer_id: str
    store_id: str
    vin: str | None
    due_at: datetime


@published("aftersales.ComplaintResolved")
class ComplaintResolved:
    complaint_id: str
    customer_id: str
