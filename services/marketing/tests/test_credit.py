"""Each delivered order is credited once, whole, by a named model."""

from datetime import UTC, datetime

from services.marketing.domain.credit import CreditOrder, OrderCredited, credit
from shared.testing.specs import spec
from shared.values.money import Money

given = spec(credit)
it = CreditOrder(
    order_id="o1", campaign_id="c1", vin="LFV2A2150N3000001", revenue=Money(18_980_000), at=datetime(2026, 3, 2, 12, tzinfo=UTC)
)
credited = OrderCredited(order_id="o1", campaign_id="c1", vin=it.vin, model="first-touch", revenue=it.revenue)


def test_an_order_is_credited_to_the_campaign_of_the_first_touch() -> None:
    given().when(it).then(credited)


def test_it_is_credited_once() -> None:
    given(credited).when(it).then_nothing()
