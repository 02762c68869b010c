"""Finance, put together: its books, views, what it hears and its routes."""

from services.finance import api
from services.finance.domain.account import State as AccountState
from services.finance.domain.account import account
from services.finance.domain.car import Car, car
from services.finance.domain.journal import journal
from services.finance.domain.payable import Payable, payable
from services.finance.domain.payable import State as PayableState
from services.finance.domain.period import period
from services.finance.domain.standing import Account
from services.finance.known import customers_known, entities_known, staff_known, stores_known
from services.finance.listens import listen
from services.finance.prepares import prepares
from services.finance.publishes import publish_account, publish_car, publish_entry, publish_payable
from services.finance.upcasts import stored
from services.finance.views import accounts, cars, invoices, ledger, payables, periods, receipts, refunds
from shared.deciding import Aggregate
from shared.service import Service


def stores_of(state: AccountState | PayableState | Car) -> tuple[str, ...]:
    """Whose staff may act on it."""
    return (state.store_id,) if isinstance(state, Account | Payable | Car) else ()


service = Service(
    context="finance",
    stored=stored,
    aggregates=(
        Aggregate(
            "account",
            account,
            views=(ledger.ledger, accounts.account_book, receipts.receipt_book, refunds.refund_book, invoices.invoice_book),
            publish=publish_account,
            stores=stores_of,
        ),
        Aggregate("car", car, views=(ledger.ledger, cars.car_book), publish=publish_car, stores=stores_of),
        Aggregate("payable", payable, views=(ledger.ledger, payables.payable_book), publish=publish_payable, stores=stores_of),
        Aggregate("journal", journal, views=(ledger.ledger,), publish=publish_entry),
        Aggregate("period", period, views=(periods.period_book,)),
    ),
    tables=(entities_known, stores_known, staff_known, customers_known),
    topics=("gateway", "customers", "inventory", "orders", "marketing"),
    listen=listen,
    prepare=prepares,
    routers=(
        api.router,
        ledger.router,
        accounts.router,
        receipts.router,
        refunds.router,
        invoices.router,
        payables.router,
        cars.router,
        periods.router,
    ),
    vault=True,
)
