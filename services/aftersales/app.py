"""Composition root of after-sales."""

from typing import Any, cast

from services.aftersales.api import appointments as booking
from services.aftersales.api import bays as bay_desk
from services.aftersales.api import cars as car_desk
from services.aftersales.api import complaints as complaint_desk
from services.aftersales.api import work_orders as work_desk
from services.aftersales.domain.appointment import Appointment, appointment
from services.aftersales.domain.appointment import State as AppointmentState
from services.aftersales.domain.bay import bay
from services.aftersales.domain.car import car
from services.aftersales.domain.complaint import complaint
from services.aftersales.domain.work_order import work_order
from services.aftersales.known import TABLES
from services.aftersales.listens import listen
from services.aftersales.prepares import prepares
from services.aftersales.publishes import publish_appointment, publish_car, publish_complaint, publish_work_order
from services.aftersales.upcasts import stored
from services.aftersales.views import appointments, bays, cars, complaints, work_orders
from shared.deciding import Aggregate
from shared.service import Service


def store_of(state: AppointmentState) -> tuple[str, ...]:
    """Whose staff may act on an appointment: a proposed one is the delivering store's."""
    return (state.store_id,) if isinstance(state, Appointment) else ()


def every_store(state: object) -> None:
    """A car is looked after wherever it comes."""


service = Service(
    context="aftersales",
    stored=stored,
    aggregates=(
        Aggregate("bay", bay, views=(bays.bay_list,)),
        Aggregate("car", car, views=(cars.car_list,), publish=publish_car, stores=cast(Any, every_store)),
        Aggregate("appointment", appointment, views=(appointments.diary,), publish=publish_appointment, stores=store_of),
        Aggregate("workorder", work_order, views=(work_orders.work_book, work_orders.car_history), publish=publish_work_order),
        Aggregate("complaint", complaint, views=(complaints.complaint_list, complaints.complaint_entries), publish=publish_complaint),
    ),
    tables=TABLES,
    topics=("gateway", "customers", "orders"),
    listen=listen,
    prepare=prepares,
    routers=(
        bay_desk.router,
        car_desk.router,
        booking.router,
        work_desk.router,
        complaint_desk.router,
        bays.router,
        cars.router,
        appointments.router,
        work_orders.router,
        complaints.router,
    ),
    vault=True,
)
