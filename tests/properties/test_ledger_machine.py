"""Money comes, goes and is corrected in any order: entries balance, nothing is paid back twice, an order that is over leaves nothing."""

from collections import Counter
from datetime import UTC, date, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.finance.domain import account_messages as a
from services.finance.domain.account import account
from services.finance.domain.entry import Entry, period_of
from services.finance.domain.payable import ApprovePayment, OpenPayable, Payable, PaymentMade, RequestPayment, payable
from services.finance.domain.period import ClosePeriod, Period, ReopenPeriod, period
from services.finance.domain.standing import Account
from shared.values.money import Money
from tests.properties.streams import Streams

AT = datetime(2026, 3, 2, tzinfo=UTC)
days = st.sampled_from([date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 31)])
orders = st.sampled_from(["o1", "o2"])
people = st.sampled_from(["ma", "wu"])
amounts = st.sampled_from([-1, 0, 1, 33, 1_000, 30_000, 100_000])
ids = st.sampled_from(["x1", "x2", "x3"])
methods = st.sampled_from(["cash", "transfer", "wechat"])


class LedgerMachine(RuleBasedStateMachine):
    """Two orders of one legal entity, three things owed, and months that are closed now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = Streams({"account": account, "payable": payable, "period": period})
        for order in ("o1", "o2"):
            opened = a.OpenAccount(
                order_id=order, order_number=order, entity_id="north", store_id="s", customer_id="c", vin="V", price=Money(100_000),
                vat_permille=130, at=AT,
            )  # fmt: skip
            self.streams.ask(f"account-{order}", opened)
        self.had: Counter[str] = Counter()
        """What came in for each order and has not gone back, by our own count; `pledged` is what of it was called earnest money."""
        self.pledged: Counter[str] = Counter()
        self.owed_back: dict[str, dict[str, int]] = {"o1": {}, "o2": {}}
        """Refunds asked for and neither paid nor declined."""

    def ask(self, stream: str, command: object) -> list[object]:
        """A closed month takes no entry."""
        closed = {state.period for state in self.streams.states.values() if isinstance(state, Period) and state.closed}
        events = self.streams.ask(stream, command) or []
        assert not [entry for event in events if (entry := getattr(event, "entry", None)) and period_of(entry.on) in closed]
        return events

    def entries(self) -> list[Entry]:
        """All that was posted."""
        return [entry for events in self.streams.history.values() for event in events if (entry := getattr(event, "entry", None))]

    @rule(order=orders, id=ids, amount=amounts, method=methods, earnest=st.booleans(), on=days)
    def receive(self, order: str, id: str, amount: int, method: str, earnest: bool, on: date) -> None:
        kind: a.ReceiptKind = "earnest" if earnest else "balance"
        receipt = a.TakeReceipt(receipt_id=id, number=id, kind=kind, method=method, amount=Money(amount), by="ma", on=on, at=AT)
        if self.ask(f"account-{order}", receipt):
            assert amount > 0
            self.had[order] += amount
            self.pledged[order] += amount if earnest else 0

    @rule(order=orders, id=ids, amount=amounts, method=methods, by=people)
    def ask_refund(self, order: str, id: str, amount: int, method: str, by: str) -> None:
        wish = a.RequestRefund(refund_id=f"f{id}", amount=Money(amount), method=method, reason="r", by=by, at=AT)
        if self.ask(f"account-{order}", wish):
            self.owed_back[order][f"f{id}"] = amount
            assert amount > 0 and sum(self.owed_back[order].values()) <= self.had[order]

    @rule(order=orders, id=ids, by=people, on=days, whole=st.booleans())
    def refund(self, order: str, id: str, by: str, on: date, whole: bool) -> None:
        self.refund_one(order, order if whole else f"f{id}", by, on)

    def refund_one(self, order: str, refund: str, by: str, on: date) -> None:
        """Four eyes, and only what was asked."""
        asked = self.streams.state(f"account-{order}").asked.get(refund)
        if self.ask(f"account-{order}", a.ApproveRefund(refund_id=refund, number="n", by=by, on=on, at=AT)):
            assert asked is not None and asked.by != by
            self.had[order] -= self.owed_back[order].pop(refund)

    @rule(order=orders, on=days)
    def refund_all(self, order: str, on: date) -> None:
        """Whatever is asked is paid back by somebody else."""
        for refund, asked in self.streams.state(f"account-{order}").asked.items():
            self.refund_one(order, refund, "wu" if asked.by == "ma" else "ma", on)

    @rule(order=orders, amount=st.sampled_from([1_000, 30_000]), back=st.sampled_from([1, 999, 1_000, 29_000]), on=days)
    def pay_earnest_money_and_get_some_back(self, order: str, amount: int, back: int, on: date) -> None:
        """By chance alone hardly anybody gets earnest money back."""
        n = len(self.streams.history[f"account-{order}"])
        self.receive(order, f"e{n}", amount, "cash", True, on)
        self.ask_refund(order, f"e{n}", back, "transfer", "ma")
        self.refund_one(order, f"fe{n}", "wu", on)

    @rule(order=orders, id=ids, by=people)
    def decline_refund(self, order: str, id: str, by: str) -> None:
        if self.ask(f"account-{order}", a.DeclineRefund(refund_id=f"f{id}", by=by, at=AT)):
            del self.owed_back[order][f"f{id}"]

    @rule(order=orders, price=st.sampled_from([100_000, 90_000]), on=days)
    def contract(self, order: str, price: int, on: date) -> None:
        self.ask(f"account-{order}", a.RecordContract(vin="V", price=Money(price), earnest_agreed=Money(0), store_id="s", on=on, at=AT))

    @rule(order=orders, price=st.sampled_from([100_000, 90_000, 99_999]), on=days)
    def change_price(self, order: str, price: int, on: date) -> None:
        self.ask(f"account-{order}", a.ChangePrice(vin="V", price=Money(price), store_id="s", on=on, at=AT))

    @rule(order=orders, id=ids, stay=st.sampled_from(["st1", "st2"]), owner=st.sampled_from(["north", "south", None]), on=days)
    def invoice(self, order: str, id: str, stay: str, owner: str | None, on: date) -> None:
        wish = a.IssueInvoice(invoice_id=f"{order}{id}", number=id, stay_id=stay, owner=owner, by="ma", on=on, at=AT)
        if self.ask(f"account-{order}", wish):
            assert owner == "north"

    @rule(order=orders, id=ids, on=days)
    def reverse_invoice(self, order: str, id: str, on: date) -> None:
        self.ask(f"account-{order}", a.ReverseInvoice(invoice_id=f"{order}{id}", number=id, by="ma", on=on, at=AT))

    @rule(order=orders, on=days)
    def deliver(self, order: str, on: date) -> None:
        self.ask(f"account-{order}", a.RecogniseSale(vin="V", stay_id="st1", store_id="s", on=on, at=AT))

    @rule(order=orders, forfeit=st.booleans(), on=days)
    def cancel(self, order: str, forfeit: bool, on: date) -> None:
        events = self.ask(f"account-{order}", a.CancelAccount(forfeit=forfeit, by="ma", store_id="s", on=on, at=AT))
        for kept in (event.forfeited.minor for event in events if isinstance(event, a.AccountCancelled)):
            assert 0 <= kept <= (min(self.pledged[order], 20_000) if forfeit else 0)
            if rest := self.had[order] - kept - sum(self.owed_back[order].values()):
                self.owed_back[order][order] = rest

    @rule(id=ids, amount=amounts, on=days)
    def owe(self, id: str, amount: int, on: date) -> None:
        wish = OpenPayable(
            payable_id=id, supplier="m", entity_id="north", store_id="s", amount=Money(amount), source="x", reference="y", expense="6601",
            on=on, at=AT,
        )  # fmt: skip
        self.ask(f"payable-{id}", wish)

    @rule(id=ids, payment=st.sampled_from(["p1", "p2"]), by=people)
    def ask_payment(self, id: str, payment: str, by: str) -> None:
        self.ask(f"payable-{id}", RequestPayment(payment_id=payment, number=payment, by=by, at=AT))

    @rule(id=ids, payment=st.sampled_from(["p1", "p2"]), by=people, on=days)
    def pay(self, id: str, payment: str, by: str, on: date) -> None:
        before = self.streams.state(f"payable-{id}")
        if self.ask(f"payable-{id}", ApprovePayment(payment_id=payment, by=by, on=on, at=AT)):
            assert before.asked_by != by

    @rule(id=ids, on=days)
    def pay_what_is_asked(self, id: str, on: date) -> None:
        state = self.streams.state(f"payable-{id}")
        if isinstance(state, Payable):
            other = "wu" if state.asked_by == "ma" else "ma"
            self.ask(f"payable-{id}", ApprovePayment(payment_id=state.payment_id, by=other, on=on, at=AT))

    @rule(month=st.sampled_from(["2026-01", "2026-02"]))
    def close(self, month: str) -> None:
        wish = ClosePeriod(entity_id="north", period=month, on=date(2026, 3, 2), by="ma", at=AT)
        self.ask(f"period-north.{month}", wish)

    @rule(month=st.sampled_from(["2026-01", "2026-02"]))
    def reopen(self, month: str) -> None:
        self.ask(f"period-north.{month}", ReopenPeriod(reason="r", by="ma", at=AT))

    @invariant()
    def debits_equal_credits(self) -> None:
        assert all(sum(line.amount for line in entry.lines) == 0 for entry in self.entries())

    @invariant()
    def what_was_paid_is_what_came_less_what_went(self) -> None:
        """In the account and in the till and bank of the books; nobody gets back more than he paid, nor what he forfeited."""
        money: Counter[str | None] = Counter()
        for entry in self.entries():
            money[entry.order_id] += sum(line.amount for line in entry.lines if line.account in ("1001", "1002", "1012"))
        for order, had in self.had.items():
            state = self.streams.state(f"account-{order}")
            assert state.paid == had == money[order] and had >= 0
            assert {id: asked.amount for id, asked in state.asked.items()} == self.owed_back[order]
            assert 0 <= state.forfeited <= state.earnest <= min(had, self.pledged[order])

    @invariant()
    def earnest_money_is_at_most_a_fifth(self) -> None:
        for events in self.streams.history.values():
            for event in events:
                assert not isinstance(event, a.ReceiptTaken) or event.earnest.minor <= min(event.amount.minor, 20_000)

    @invariant()
    def a_car_is_invoiced_once(self) -> None:
        assert len([key for key in self.streams.holders if key[0] == "invoice"]) == len(
            [state for state in self.streams.states.values() if isinstance(state, Account) and state.invoice]
        )

    @invariant()
    def a_debt_is_paid_once(self) -> None:
        paid = Counter(stream for stream, events in self.streams.history.items() for event in events if isinstance(event, PaymentMade))
        assert all(n == 1 for n in paid.values())

    @invariant()
    def what_is_cancelled_and_paid_back_leaves_nothing(self) -> None:
        """But the earnest money that was forfeited, which is income, and an invoice nobody has reversed."""
        for state in self.streams.states.values():
            if not (isinstance(state, Account) and state.stage == "cancelled" and state.paid == state.forfeited and not state.invoice):
                continue
            left: Counter[str] = Counter()
            for entry in self.entries():
                if entry.order_id == state.order_id:
                    left.update({line.account: 0 for line in entry.lines})
                    for line in entry.lines:
                        left[line.account] += line.amount
            money = sum(left.pop(number, 0) for number in ("1001", "1002", "1012"))
            assert (money, left.pop("6051", 0)) == (state.forfeited, -state.forfeited) and not any(left.values())


LedgerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestLedger = LedgerMachine.TestCase
