"""Random business for the books of three legal entities, and an oracle that knows the facts and never looks at an entry."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from random import Random
from typing import Any

from services.finance.domain import account_messages as a
from services.finance.domain import car_messages as c
from services.finance.domain import journal as j
from services.finance.domain import payable as p
from services.finance.domain.account import account
from services.finance.domain.car import car
from services.finance.domain.entry import Entry, Line
from shared.decider import Decider, Rejected
from shared.values.money import Money

FIRST = date(2026, 1, 1)
AT = datetime(2026, 1, 1, tzinfo=UTC)
ENTITIES = {"north": "CNY", "south": "USD", "abroad": "JPY"}
MONEY = {"cash": "1001", "card": "1002", "transfer": "1002", "loan": "1002", "wechat": "1012", "alipay": "1012"}
KINDS: tuple[a.ReceiptKind, ...] = ("earnest", "balance", "down-payment")
BY_HAND = ("1001", "1002", "2211", "2221", "6602", "6603", "6601")
OPEN = 100
"""How many things are under way at a time."""

type Place = tuple[str, str, str]
"""Legal entity, currency, account."""


@dataclass
class Books:
    """What the entries say, and what the facts say."""

    dice: Random
    posted: Counter[Place] = field(default_factory=Counter)
    facts: Counter[Place] = field(default_factory=Counter)
    postings: int = 0
    wrong: list[str] = field(default_factory=list)
    made: int = 0

    def post(self, entry: Entry, currency: str) -> None:
        """Adds the lines of an entry."""
        if sum(line.amount for line in entry.lines) != 0 or entry.currency != currency:
            self.wrong.append(f"{entry.entry_id} does not balance in {currency}")
        for line in entry.lines:
            self.posted[entry.entity_id, entry.currency, line.account] += line.amount
        self.postings += len(entry.lines)

    def name(self) -> str:
        """An id nobody had."""
        self.made += 1
        return str(self.made)

    def day(self) -> date:
        """Some day of the year."""
        return FIRST + timedelta(days=self.dice.randrange(365))


class Thing:
    """One stream of the books: it is asked random things, sensible and not, until it has had enough."""

    decider: Decider[Any, Any, Any]

    def __init__(self, books: Books) -> None:
        self.books, self.dice = books, books.dice
        self.id = books.name()
        self.entity = self.dice.choice(tuple(ENTITIES))
        self.currency = ENTITIES[self.entity]
        self.state = self.decider.initial
        self.left = self.dice.randrange(4, 12)

    def money(self, most: int, least: int = 1) -> Money:
        """A random amount in the books' currency."""
        return Money(self.dice.randint(least, most), self.currency)

    def fact(self, number: str, amount: int, entity: str | None = None) -> None:
        """What an account must show more, debit above zero."""
        self.books.facts[entity or self.entity, self.currency, number] += amount

    def ask(self, command: Any) -> list[Any]:
        """What becomes of a command; nothing, when it is refused."""
        try:
            events = self.decider.decide(command, self.state)
        except Rejected:
            return []
        self.state = reduce(self.decider.evolve, events, self.state)
        for event in events:
            if entry := getattr(event, "entry", None):
                self.books.post(entry, self.currency)
        return events

    def work(self) -> bool:
        """One more command; False when that was the last."""
        self.left -= 1
        self.step()
        if self.left:
            return True
        self.end()
        return False

    def step(self) -> None:
        """Asks something."""

    def end(self) -> None:
        """Says what the accounts must show of it."""


class Sale(Thing):
    """An order's money: cash as it moves, all else from how the order stands in the end."""

    decider = account

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self.price = self.money(30_000_000, 1_000_000)
        self.permille = self.dice.choice((130, 130, 60, 0))
        self.stage, self.paid, self.invoiced, self.forfeited = "open", 0, 0, 0
        self.ask(
            a.OpenAccount(
                order_id=self.id, order_number=self.id, entity_id=self.entity, store_id="s", customer_id="c", vin="V",
                price=self.price, vat_permille=self.permille, at=AT,
            )
        )  # fmt: skip

    def step(self) -> None:
        dice, on = self.dice, self.books.day()
        refund = dice.choice([*self.state.asked, "r0"])
        invoice = self.state.invoice.invoice_id if self.state.invoice and dice.random() < 0.8 else "i0"
        kind, method = dice.choice(KINDS), dice.choice(tuple(MONEY))
        amount = dice.choice((self.money(self.price.minor), self.money(self.price.minor // 4), Money(max(self.price.minor - self.paid, 1), self.currency)))  # fmt: skip
        price = self.price if dice.random() < 0.5 else self.money(30_000_000, 1_000_000)
        name = self.books.name()
        wishes: list[Callable[[], Any]] = [
            *4 * [lambda: a.TakeReceipt(receipt_id=name, number=name, kind=kind, method=method, amount=amount, by="ma", on=on, at=AT)],
            *2 * [lambda: a.RecordContract(vin="V", price=self.price, earnest_agreed=self.price, store_id="s", on=on, at=AT)],
            lambda: a.ChangePrice(vin="V", price=price, store_id="s", on=on, at=AT),
            lambda: a.RequestRefund(refund_id=name, amount=amount, method=method, reason="r", by="ma", at=AT),
            *2 * [lambda: a.ApproveRefund(refund_id=refund, number=name, by=dice.choice(("ma", "wu")), on=on, at=AT)],
            lambda: a.DeclineRefund(refund_id=refund, by="wu", at=AT),
            *2 * [lambda: a.IssueInvoice(invoice_id=name, number=name, stay_id="st", owner=self.entity, by="ma", on=on, at=AT)],
            lambda: a.ReverseInvoice(invoice_id=invoice, number=name, by="ma", on=on, at=AT),
            *2 * [lambda: a.RecogniseSale(vin="V", stay_id="st", store_id="s", on=on, at=AT)],
            lambda: a.CancelAccount(forfeit=dice.random() < 0.5, by="ma", store_id="s", on=on, at=AT),
        ]
        for event in self.ask(dice.choice(wishes)()):
            self.learn(event)

    def learn(self, event: Any) -> None:
        """What happened, in the words of the business."""
        match event:
            case a.ReceiptTaken(amount=amount, method=method):
                self.paid += amount.minor
                self.fact(MONEY[method], amount.minor)
            case a.RefundPaid(amount=amount, method=method):
                self.paid -= amount.minor
                self.fact(MONEY[method], -amount.minor)
            case a.ContractRecorded(price=price):
                self.stage, self.price = "contract", price
            case a.PriceChanged(price=price):
                self.price = price
            case a.InvoiceIssued():
                self.invoiced = self.vat(self.price.minor)
            case a.InvoiceReversed():
                self.invoiced = 0
            case a.SaleRecognised():
                self.stage = "delivered"
            case a.AccountCancelled(forfeited=forfeited):
                self.stage, self.forfeited = "cancelled", forfeited.minor

    def vat(self, gross: int) -> int:
        """The tax inside, half a cent rounded up."""
        whole = 1000 + self.permille
        return (2 * gross * self.permille + whole) // (2 * whole)

    def end(self) -> None:
        price, paid, invoiced = self.price.minor, self.paid, self.invoiced
        self.fact("2221-output", -invoiced)
        match self.stage:
            case "open":
                self.fact("2241", -paid)
            case "contract":
                tax = self.vat(paid)
                self.fact("2204", tax - paid)
                self.fact("1122" if invoiced > tax else "2221-pending", invoiced - tax)
            case "delivered":
                self.fact("6001", self.vat(price) - price)
                self.fact("2221-pending", invoiced - self.vat(price))
                self.fact("1122" if price > paid else "2241", price - paid)
            case "cancelled":
                self.fact("2241", self.forfeited - paid)
                self.fact("6051", -self.forfeited)
                self.fact("1122", invoiced)


class Stay(Thing):
    """A car: what it cost lies where it is, and what it cost late with what was sold."""

    decider = car

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        cost, vat = self.money(20_000_000, 1_000_000), self.money(2_000_000, 0)
        self.store, self.cost, self.moving, self.sold = "s0", 0, "", False
        self.to = "s1"
        received = c.ReceiveCar(
            stay_id=self.id, vin="V", entity_id=self.entity, store_id="s0", supplier="m", book_cost=cost, input_vat=vat, on=books.day(), at=AT
        )  # fmt: skip
        if self.ask(received):
            self.cost = cost.minor
            self.fact("2221-input", vat.minor)
            self.fact("2202", -cost.minor - vat.minor)

    def step(self) -> None:
        dice, on, name = self.dice, self.books.day(), self.books.name()
        transport = self.money(300_000, 0)
        move = self.moving or name
        wishes: list[Callable[[], Any]] = [
            *2 * [lambda: c.AddCost(stay_id=self.id, cost_id=name, kind="freight", amount=self.money(90_000, -90_000), store_id="s", on=on, at=AT)],
            *2 * [lambda: c.DispatchCar(stay_id=self.id, transfer_id=move, from_store=self.store, on=on, at=AT)],
            *3 * [lambda: c.ArriveCar(
                stay_id=self.id, transfer_id=move, from_store=self.store, to_store=self.to, to_entity=self.entity, transport=transport, on=on, at=AT)],
            lambda: c.SellCar(stay_id=self.id, order_id="o", store_id=self.store, revenue=self.money(9), on=on, at=AT),
        ]  # fmt: skip
        wish = dice.choice(wishes)()
        if isinstance(wish, c.ArriveCar | c.SellCar) and bool(self.moving) is isinstance(wish, c.SellCar):
            return  # an early fact waits for what it follows: the order of facts is the simulation's
        if self.sold and not isinstance(wish, c.AddCost):
            return  # stock sends no car away that is sold
        for event in self.ask(wish):
            self.learn(event, transport.minor)

    def learn(self, event: Any, transport: int) -> None:
        """What happened, in the words of the business."""
        match event:
            case c.CarCostAdded(amount=amount):
                self.cost += amount.minor
                self.fact("2202", -amount.minor)
            case c.LateCostAdded(amount=amount):
                self.fact("6401", amount.minor)
                self.fact("2202", -amount.minor)
            case c.CarDispatched(transfer_id=move):
                self.moving = move
            case c.CarArrived():
                self.store, self.to, self.moving = self.to, self.store, ""
                self.cost += transport
                self.fact("2202", -transport)
            case c.CarSold():
                self.sold = True

    def end(self) -> None:
        self.fact("6401" if self.sold else "1402" if self.moving else "1405", self.cost)


class Debt(Thing):
    """What a supplier is owed, and paid once."""

    decider = p.payable

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        amount, expense = self.money(500_000, -500_000), self.dice.choice((None, "6601"))
        opened = self.ask(
            p.OpenPayable(
                payable_id=self.id, supplier="m", entity_id=self.entity, store_id="s", amount=amount, source="x", reference="y",
                expense=expense, on=books.day(), at=AT,
            )
        )  # fmt: skip
        self.amount = amount.minor
        if opened and expense:
            self.fact(expense, self.amount)
            self.fact("2202", -self.amount)

    def step(self) -> None:
        by = self.dice.choice(("ma", "wu"))
        number = self.dice.choice(("p1", "p2"))
        wishes = (
            p.RequestPayment(payment_id=number, number=number, by=by, at=AT),
            p.ApprovePayment(payment_id=number, by=by, on=self.books.day(), at=AT),
            p.DeclinePayment(payment_id=number, by=by, at=AT),
        )
        if any(isinstance(event, p.PaymentMade) for event in self.ask(self.dice.choice(wishes))):
            self.fact("2202", self.amount)
            self.fact("1002", -self.amount)


class ByHand(Thing):
    """An entry somebody makes, balanced or not, and perhaps its reversal."""

    decider = j.journal

    def step(self) -> None:
        dice = self.dice
        parts = [dice.randint(-100_000, 100_000) for _ in range(dice.randrange(1, 5))]
        lines = [Line(account=dice.choice(BY_HAND), amount=amount) for amount in (*parts, -sum(parts) + (dice.random() < 0.2))]
        command = j.PostEntry(
            journal_id=self.id, entity_id=self.entity, store_id="s", currency=self.currency, text="t", lines=tuple(lines), on=self.books.day(),
            by="ma", at=AT,
        )  # fmt: skip
        for event in self.ask(command if dice.random() < 0.7 else j.ReverseEntry(reason="r", on=self.books.day(), by="ma", at=AT)):
            if isinstance(event, j.ManualEntryPosted):
                self.lines = lines
            for line in self.lines:
                self.fact(line.account, line.amount if isinstance(event, j.ManualEntryPosted) else -line.amount)


def balance(dice: Random, postings: int) -> list[str]:
    """Does business until there are so many lines in the books; where entries and facts differ."""
    books = Books(dice)
    kinds = (Sale, Sale, Sale, Stay, Stay, Debt, ByHand)
    things: list[Thing] = [dice.choice(kinds)(books) for _ in range(OPEN)]
    while books.postings < postings:
        i = dice.randrange(OPEN)
        if not things[i].work():
            things[i] = dice.choice(kinds)(books)
    for thing in things:
        thing.end()
    differ = [place for place in books.posted.keys() | books.facts.keys() if books.posted[place] != books.facts[place]]
    books.wrong += [f"{place}: entries say {books.posted[place]}, facts {books.facts[place]}" for place in sorted(differ)]
    return books.wrong
