"""What the demo group sells and to whom, drawn once from a seeded chance: the same cars and people every time."""

from dataclasses import dataclass
from random import Random

from deploy.demo import names
from deploy.demo.catalogue import MODELS, TRIMS, WMI, Listed
from deploy.demo.people import STORES
from shared.values.vin import check_digit

CARS = 80
SEED = 20_261_122
AGES = ((0, 12, 28), (13, 30, 20), (31, 60, 24), (61, 90, 14), (91, 180, 9), (181, 200, 5))
"""Days in stock from and to, with weights."""
STAGES = ("first-contact", "needs", "presentation", "test-drive", "quote", "negotiation")
HALF_WAY = ("placed", "submitted", "approved", "signed", "earnest", "paid")
OUTCOMES = {"assigned": 40, "contacted": 52, "disqualified": 20, **dict(zip(STAGES, (11, 10, 9, 10, 10, 8), strict=True))}
"""How far each lead without an order comes: 170 of them."""
DELIVERED = 25
ORDERED = 40


@dataclass(frozen=True, kw_only=True)
class Car:
    """A car received. Amounts in yuan, net of VAT; `days` it has stood on the group's first day."""

    vin: str
    trim: Listed
    store: str
    category: str
    certificate: str
    days: int
    purchase: int
    rebate: int
    freight: int
    preparation: int


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """A person's interest. `outcome` is how far it comes; `car` what is ordered, at `price` yuan."""

    name: str
    phone: str
    store: str
    channel: str
    brand: str
    series: str
    intent: str
    within_days: int | None
    budget: int | None
    comments: str
    outcome: str
    car: Car | None = None
    price: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything the demo loads; `scale` below 1 leaves out leads and orders, never cars."""

    cars: tuple[Car, ...]
    prospects: tuple[Prospect, ...]


def make_plan(scale: float = 1.0) -> Plan:
    """The plan of a scale."""
    random = Random(SEED)
    cars = tuple(_car(random, number) for number in range(CARS))
    ordered = [car for car in cars if car.category == "new" and car.certificate == "with-us"][: round(ORDERED * scale)]
    delivered = round(DELIVERED * scale)
    targets = ["delivered"] * delivered + [HALF_WAY[n % len(HALF_WAY)] for n in range(len(ordered) - delivered)]
    bought = [_prospect(random, number, car.store, target, car) for number, (car, target) in enumerate(zip(ordered, targets, strict=True))]
    outcomes = [outcome for outcome, count in OUTCOMES.items() for _ in range(round(count * scale))]
    random.shuffle(outcomes)
    shops = {place.code: place.weight for place in STORES}
    others = [
        _prospect(random, number, names.weighted(random, shops), outcome, None) for number, outcome in enumerate(outcomes, len(bought))
    ]
    return Plan(cars, tuple(bought + others))


def _car(random: Random, number: int) -> Car:
    """Every fourth car or so has its certificate with the bank that financed it."""
    places = [place.code for place in STORES for _ in range(place.weight)]
    store, category = places[number % len(places)], "new"
    if number < len(STORES):
        store, category = STORES[number].code, "demo"
    elif number % 16 == 7:
        category = "used"
    trim = _trim(random)
    net = round(trim.price / 1.13)
    low, high, _ = random.choices(AGES, [weight for _, _, weight in AGES])[0]
    part = random.uniform(0.58, 0.72) if category == "used" else random.uniform(0.935, 0.95)
    return Car(
        vin=vin_of(WMI[trim.brand], number),
        trim=trim,
        store=store,
        category=category,
        certificate="pledged" if category == "new" and number % 9 == 4 else "with-us",
        days=random.randint(low, high),
        purchase=round(net * part / 100) * 100,
        rebate=0 if category == "used" else round(net * 0.012 / 100) * 100,
        freight=random.randrange(600, 1_900, 100),
        preparation=random.randrange(2_000, 6_000, 500) if category == "used" else 300,
    )


def _trim(random: Random) -> Listed:
    model = random.choices(MODELS, [model.sold for model in MODELS])[0]
    return random.choice([trim for trim in TRIMS if (trim.brand, trim.series) == (model.brand, model.series)])


def vin_of(maker: str, number: int) -> str:
    """A VIN whose check digit fits, one for each number."""
    draft = f"{maker}AD41B0T2{number + 1:06}"
    return f"{draft[:8]}{check_digit(draft)}{draft[9:]}"


def _prospect(random: Random, number: int, store: str, outcome: str, car: Car | None) -> Prospect:
    trim = car.trim if car else _trim(random)
    intent = names.weighted(random, names.INTENTS)
    return Prospect(
        name=names.name_of(random),
        phone=names.phone_of(number + 1),
        store=store,
        channel=names.weighted(random, names.CHANNELS),
        brand=trim.brand,
        series=trim.series,
        intent="buy" if car and intent == "browse" else intent,
        within_days=random.choice((3, 7, 7, 14, 15, 30, 60)) if intent != "browse" else None,
        budget=round(trim.price, -4) if random.random() < 0.6 else None,
        comments=random.choice(names.COMMENTS),
        outcome=outcome,
        car=car,
        price=_price(random, car) if car else 0,
    )


def _price(random: Random, car: Car) -> int:
    """Up to three per cent off, in hundreds; what has stood for long goes for more, above a manager's authority."""
    permille = random.choice((0, 5, 10, 15, 20, 25, 28)) if car.days <= 90 else random.choice((45, 60, 80))
    return car.trim.price - car.trim.price * permille // 1000 // 100 * 100
