"""Stored names of finance's events and timer commands, and the upcasts of older shapes."""

from services.finance.domain.account_messages import (
    AccountCancelled,
    AccountOpened,
    ContractRecorded,
    InvoiceIssued,
    InvoiceReversed,
    PriceChanged,
    ReceiptTaken,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
    SaleRecognised,
)
from services.finance.domain.car_messages import (
    CarArrived,
    CarCostAdded,
    CarDispatched,
    CarReceived,
    CarSold,
    CarSoldWithinGroup,
    FactHeld,
    LateCostAdded,
    SellCar,
)
from services.finance.domain.journal import ManualEntryPosted, ManualEntryReversed
from services.finance.domain.payable import PayableOpened, PaymentDeclined, PaymentMade, PaymentRequested
from services.finance.domain.period import PeriodClosed, PeriodReopened
from shared.events.registry import Registry

stored = Registry(
    "finance",
    {
        "AccountOpened": AccountOpened,
        "ContractRecorded": ContractRecorded,
        "PriceChanged": PriceChanged,
        "ReceiptTaken": ReceiptTaken,
        "RefundRequested": RefundRequested,
        "RefundPaid": RefundPaid,
        "RefundDeclined": RefundDeclined,
        "InvoiceIssued": InvoiceIssued,
        "InvoiceReversed": InvoiceReversed,
        "SaleRecognised": SaleRecognised,
        "AccountCancelled": AccountCancelled,
        "CarReceived": CarReceived,
        "CarCostAdded": CarCostAdded,
        "LateCostAdded": LateCostAdded,
        "CarDispatched": CarDispatched,
        "CarSoldWithinGroup": CarSoldWithinGroup,
        "CarArrived": CarArrived,
        "CarSold": CarSold,
        "FactHeld": FactHeld,
        "PayableOpened": PayableOpened,
        "PaymentRequested": PaymentRequested,
        "PaymentDeclined": PaymentDeclined,
        "PaymentMade": PaymentMade,
        "ManualEntryPosted": ManualEntryPosted,
        "ManualEntryReversed": ManualEntryReversed,
        "PeriodClosed": PeriodClosed,
        "PeriodReopened": PeriodReopened,
    },
    upcasts={},
    commands={"SellCar": SellCar},
)
