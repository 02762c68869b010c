"""What stands in each document. Texts are printed as they are; amounts are Money; moments are in the store's own time zone."""

from datetime import date, datetime
from typing import NotRequired, TypedDict

from shared.values.money import Money


class Party(TypedDict):
    """A side of a contract; `identity` is a tax number (统一社会信用代码) or an identity card."""

    name: str
    identity: NotRequired[str]
    address: NotRequired[str]
    phone: NotRequired[str]
    representative: NotRequired[str]


class Car(TypedDict):
    """The car as the catalogue names it; a quote may not know its VIN yet."""

    brand: str
    series: str
    trim: str
    model_year: NotRequired[str]
    exterior: NotRequired[str]
    interior: NotRequired[str]
    category: NotRequired[str]
    """新车, 二手车 or 试驾车."""
    vin: NotRequired[str]


class Instalment(TypedDict):
    """What is paid by when: 首付, 尾款."""

    label: str
    amount: Money
    due: str


class Delivery(TypedDict):
    """When and where the car is handed over."""

    day: date
    place: str


class Signature(TypedDict):
    """Who signed for the buyer, when, and the `digest` of what was signed."""

    name: str
    at: datetime
    digest: str


class Contract(TypedDict):
    """汽车买卖合同. The price is gross and equals net + vat; 定金 and 订金 are zero when none is agreed."""

    number: str
    at: datetime
    place: NotRequired[str]
    seller: Party
    buyer: Party
    car: Car
    price: Money
    net: Money
    vat: Money
    vat_permille: int
    earnest: Money
    """定金: forfeited or doubled on breach."""
    prepayment: Money
    """订金: paid back when the contract is not performed."""
    instalments: list[Instalment]
    delivery: NotRequired[Delivery]
    terms: NotRequired[list[str]]
    signature: NotRequired[Signature]


class Line(TypedDict):
    """A line of a quote; a discount is negative."""

    label: str
    note: NotRequired[str]
    amount: Money


class Quote(TypedDict):
    """报价单. The lines sum to the total."""

    number: str
    revision: int
    at: datetime
    valid_until: date
    store: str
    adviser: str
    customer: str
    car: Car
    lines: list[Line]
    total: Money
    note: NotRequired[str]


class Receipt(TypedDict):
    """收款凭证. `earnest` is the part of the amount that counts as 定金."""

    number: str
    at: datetime
    entity: str
    store: str
    payer: str
    kind: str
    method: str
    amount: Money
    earnest: NotRequired[Money]
    order_number: NotRequired[str]
    vin: NotRequired[str]
    cashier: str
    note: NotRequired[str]
