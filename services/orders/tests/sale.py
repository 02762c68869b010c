"""One sale in the words of its commands and events, for tests."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from services.orders.domain.approval import Authority, Grant
from services.orders.domain.order import Event
from services.orders.domain.order_messages import (
    ApproveOrder,
    CancelOrder,
    CarArrived,
    ChangeOrder,
    ConfirmVehicle,
    ContractSigned,
    DeliverOrder,
    InvoiceRecorded,
    ItemChecked,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderSubmitted,
    PaymentRecorded,
    PlaceOrder,
    RecordInvoice,
    RecordPayment,
    ReportVehicleMissing,
    Sale,
    SignContract,
    Terms,
    VehicleConfirmed,
    VehicleMissed,
)
from shared.values.money import Money

noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
later = noon + timedelta(days=3)
RED, BLUE = "LFV2A2150N3000001", "LFV2A2150N3000002"
sale = Sale(
    order_id="so1",
    number="SO-BJ1-20260302-001",
    store_id="bj1",
    entity_id="north",
    customer_id="c1",
    opportunity_id="o1",
    campaign_id=None,
    channel="website",
    seller_id="li",
    quote_id=None,
    vat_permille=130,
    checklist=("keys", "certificate"),
)
terms = Terms(
    trim_id="trim-1",
    vin=RED,
    list_price=Money(19_980_000),
    price=Money(18_980_000),
    down_payment=Money(5_000_000),
    deliver_on=date(2026, 3, 20),
)
price = terms.price
authorities = (
    Authority(role="sales-manager", discount_permille=60),
    Authority(role="regional-manager", discount_permille=100),
    Authority(role="group-owner", discount_permille=200),
)

place = PlaceOrder(sale=sale, terms=terms, at=noon)
approve = ApproveOrder(
    by="zhao", roles=("sales-manager",), authorities=authorities, minimum_down_permille=200, source="house rule", at=noon
)
confirm = ConfirmVehicle(request_id="r1", vin=RED, stay_id="stay-1", store_id="sh1", certificate="with-us", at=noon)
missing = ReportVehicleMissing(request_id="r1", vin=RED, problem="vehicle-taken", reason="Sold.", at=noon)
sign = SignContract(
    by="li",
    vin=RED,
    price=price,
    signer="~p1.wang",
    earnest=Money(2_000_000),
    earnest_limit_permille=200,
    sha256="ab12",
    document="~p1.pdf",
    at=noon,
)
pay = RecordPayment(receipt_id="rc1", paid_total=Money(2_000_000), earnest=Money(2_000_000), at=noon)
invoice = RecordInvoice(invoice_id="in1", number="IN-1", gross=price, at=noon)
deliver = DeliverOrder(by="li", certificate="with-us", at=later)
cancel = CancelOrder(by="zhao", manager=True, reason="changed his mind", forfeit=False, at=noon)
change = ChangeOrder(by="li", terms=replace(terms, price=Money(18_900_000)), reason="matched a competitor", at=noon)

placed = OrderPlaced(sale=sale, terms=terms, at=noon)
submitted = OrderSubmitted(by="li")
approved = OrderApproved(
    by="zhao",
    vin=RED,
    granted=Grant(discount_permille=51, authority_permille=60),
    minimum_down_permille=200,
    source="house rule",
)
confirmed = VehicleConfirmed(request_id="r1", vin=RED, stay_id="stay-1", store_id="sh1", certificate="with-us", at=noon)
missed = VehicleMissed(request_id="r1", vin=RED, problem="vehicle-taken", reason="Sold.", at=noon)
signed = ContractSigned(by="li", signer="~p1.wang", price=price, earnest=Money(2_000_000), sha256="ab12", document="~p1.pdf")
earnest = PaymentRecorded(receipt_id="rc1", paid_total=Money(2_000_000), earnest=Money(2_000_000))
balance = PaymentRecorded(receipt_id="rc2", paid_total=price, earnest=Money(0))
invoiced = InvoiceRecorded(invoice_id="in1", number="IN-1", gross=price)
arrived = CarArrived(vin=RED, store_id="bj1", at=later)
checked = ItemChecked(by="li", item="keys", passed=True), ItemChecked(by="li", item="certificate", passed=True)
delivered = OrderDelivered(by="li", vin=RED, stay_id="stay-1", certificate="with-us")
cancelled = OrderCancelled(order_id="so1", quote_id=None, by="zhao", reason="changed his mind", forfeit=False, at=noon)

to_approval: tuple[Event, ...] = (placed, submitted)
to_contract: tuple[Event, ...] = (*to_approval, approved, confirmed, signed)
to_keys: tuple[Event, ...] = (*to_contract, earnest, arrived, balance, invoiced, *checked)
