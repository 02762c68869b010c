"""What a workshop has on a day: its bays, its technicians, and who and what is taken."""

from dataclasses import dataclass
from datetime import date, time

from services.aftersales.domain.slots import Busy, Hours
from services.aftersales.known import KnownStaff, KnownStore, staff_known
from services.aftersales.views.appointments import AppointmentRow, appointments
from services.aftersales.views.bays import BayRow, bays
from shared.store.protocol import Reads

TECHNICIAN = "service-adviser"
"""The role of those who work on cars."""


@dataclass(frozen=True)
class Workshop:
    """Of one store; ids in a steady order."""

    store_id: str
    hours: Hours
    bays: tuple[str, ...]
    technicians: tuple[str, ...]


async def workshop(reads: Reads, store: KnownStore) -> Workshop:
    """The open bays and the technicians of a store."""
    open_bays: list[BayRow] = await reads.scan(bays, store_id=store.store_id, open=True)
    everybody: list[KnownStaff] = await reads.scan(staff_known, enabled=True)
    there = [one.staff_id for one in everybody if TECHNICIAN in one.roles and store.store_id in one.store_ids]
    return Workshop(store.store_id, hours(store), tuple(sorted(bay.bay_id for bay in open_bays)), tuple(sorted(there)))


async def busy_on(reads: Reads, day: date, but: str = "") -> list[Busy]:
    """Every bay and technician that an appointment of that day holds, in whatever store; `but` is one that does not count."""
    held: list[AppointmentRow] = await reads.scan(appointments, day=day)
    return [
        Busy(key=key, start=row.starts_at, end=row.ends_at)
        for row in held
        if row.status in ("booked", "arrived") and row.appointment_id != but
        for key in (row.bay_id, row.technician_id)
        if key and row.ends_at
    ]


def hours(store: KnownStore) -> Hours:
    """When a store is open."""
    return Hours(opens=time.fromisoformat(store.opens), closes=time.fromisoformat(store.closes), timezone=store.timezone)
