"""Stored names of after-sales' events and timer commands, and the upcasts of older shapes."""

from services.aftersales.domain.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    ArriveForAppointment,
    CarArrived,
    MissAppointment,
    ProposeMaintenance,
    SlotAwaited,
)
from services.aftersales.domain.bay import BayClosed, BayOpened
from services.aftersales.domain.car import CarEnrolled, KilometresRead, OwnerChanged, ReadKilometres
from services.aftersales.domain.complaint import (
    ComplaintAssigned,
    ComplaintEscalated,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintResolved,
    EscalateComplaint,
    FeedbackRecorded,
    ProgressRecorded,
)
from services.aftersales.domain.work_order_messages import (
    EstimateApproved,
    ItemAdded,
    ItemDeclined,
    QualityChecked,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderOpened,
)
from shared.events.registry import Registry

stored = Registry(
    "aftersales",
    {
        "BayOpened": BayOpened,
        "BayClosed": BayClosed,
        "CarEnrolled": CarEnrolled,
        "OwnerChanged": OwnerChanged,
        "KilometresRead": KilometresRead,
        "AppointmentBooked": AppointmentBooked,
        "SlotAwaited": SlotAwaited,
        "AppointmentMoved": AppointmentMoved,
        "AppointmentCancelled": AppointmentCancelled,
        "CarArrived": CarArrived,
        "AppointmentMissed": AppointmentMissed,
        "WorkOrderOpened": WorkOrderOpened,
        "ItemAdded": ItemAdded,
        "ItemDeclined": ItemDeclined,
        "EstimateApproved": EstimateApproved,
        "QualityChecked": QualityChecked,
        "WorkOrderClosed": WorkOrderClosed,
        "WorkOrderCancelled": WorkOrderCancelled,
        "ComplaintOpened": ComplaintOpened,
        "ComplaintAssigned": ComplaintAssigned,
        "ProgressRecorded": ProgressRecorded,
        "ComplaintEscalated": ComplaintEscalated,
        "ComplaintResolved": ComplaintResolved,
        "FeedbackRecorded": FeedbackRecorded,
        "ComplaintReopened": ComplaintReopened,
    },
    upcasts={},
    commands={
        "ProposeMaintenance": ProposeMaintenance,
        "MissAppointment": MissAppointment,
        "ArriveForAppointment": ArriveForAppointment,
        "ReadKilometres": ReadKilometres,
        "EscalateComplaint": EscalateComplaint,
    },
)
