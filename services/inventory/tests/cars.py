"""A car and its papers, as tests need them."""

from datetime import UTC, date, datetime

from services.inventory.domain.car import LandedCost, ReceiveVehicle, VehicleReceived
from shared.values.money import Money

noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
VIN = "LFV2A2158N3000001"
"""Its check digit fits."""
VIN_2 = "LFV2A215XN3000002"
WRONG_VIN = "LFV2A2150N3000001"
GERMAN_VIN = "WVWZZZ1KZAW000001"
"""Made where no law asks for a check digit; it does not fit."""
STAY = "0197a000-0000-7000-8000-000000000001"

cost = LandedCost(purchase=Money(15_000_000), rebate=Money(300_000), freight=Money(120_000), preparation=Money(80_000))
receive = ReceiveVehicle(
    stay_id=STAY,
    vin=VIN,
    trim_id="trim-1",
    brand="Aurora",
    series="A5",
    category="new",
    store_id="north",
    entity_id="entity-1",
    supplier="Aurora Motors",
    purchase_order_id=None,
    cost=cost,
    input_vat=Money(1_950_000),
    acquired_on=date(2026, 3, 2),
    certificate="with-us",
    at=noon,
)
received = VehicleReceived(
    stay_id=STAY,
    vin=VIN,
    trim_id="trim-1",
    brand="Aurora",
    series="A5",
    category="new",
    store_id="north",
    entity_id="entity-1",
    supplier="Aurora Motors",
    purchase_order_id=None,
    cost=cost,
    book_cost=Money(14_900_000),
    input_vat=Money(1_950_000),
    acquired_on=date(2026, 3, 2),
    certificate="with-us",
    check_digit_fits=True,
    confirmed_by=None,
    at=noon,
)
