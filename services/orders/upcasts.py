"""Stored names of the orders service, and how older shapes become today's."""

from services.orders.domain import order_messages as m
from services.orders.domain import quote as q
from services.orders.domain import rules as r
from services.orders.processes import fulfilment as f
from shared.events.registry import Registry

stored = Registry(
    "orders",
    events={
        "QuoteIssued": q.QuoteIssued,
        "QuoteRevised": q.QuoteRevised,
        "QuoteFeedbackRecorded": q.FeedbackRecorded,
        "QuoteExpired": q.QuoteExpired,
        "QuoteOrdered": q.QuoteOrdered,
        "QuoteReopened": q.QuoteReopened,
        "OrderPlaced": m.OrderPlaced,
        "OrderSubmitted": m.OrderSubmitted,
        "OrderApproved": m.OrderApproved,
        "VehicleConfirmed": m.VehicleConfirmed,
        "VehicleMissed": m.VehicleMissed,
        "ContractSigned": m.ContractSigned,
        "PaymentRecorded": m.PaymentRecorded,
        "InvoiceRecorded": m.InvoiceRecorded,
        "InvoiceReversed": m.InvoiceReversed,
        "CarArrived": m.CarArrived,
        "ItemChecked": m.ItemChecked,
        "OrderDelivered": m.OrderDelivered,
        "OrderChanged": m.OrderChanged,
        "OrderCancelled": m.OrderCancelled,
        "OrderHeard": f.OrderHeard,
        "VehicleHeld": f.VehicleHeld,
        "VehicleDenied": f.VehicleDenied,
        "VehicleRequested": f.VehicleRequested,
        "VehicleReleaseRequested": f.VehicleReleaseRequested,
        "VehicleSecured": f.VehicleSecured,
        "VehicleLost": f.VehicleLost,
        "SalesRulesEnacted": r.SalesRulesEnacted,
        "TaxRulesEnacted": r.TaxRulesEnacted,
    },
    upcasts={},
    commands={
        "ExpireQuote": q.ExpireQuote,
        "MarkOrdered": q.MarkOrdered,
        "MarkOrderCancelled": q.MarkOrderCancelled,
        "ConfirmVehicle": m.ConfirmVehicle,
        "ReportVehicleMissing": m.ReportVehicleMissing,
    },
)
