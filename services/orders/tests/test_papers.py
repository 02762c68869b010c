"""What stands on the papers, in the currency it is paid in."""

from services.orders.api.papers import finance_note
from services.orders.domain.quote import FinancePlan, Offer
from shared.values.money import Money


def note(currency: str) -> str:
    down, loan, instalment = (Money(minor, currency) for minor in (5_000_050, 12_345_678, 350_001))
    plan = FinancePlan(product="厂家贷", down_payment=down, loan=loan, months=36, instalment=instalment)
    return finance_note(Offer(trim_id="t1", list_price=Money(1, currency), discount=Money(0, currency), plan=plan))


def test_a_finance_plan_is_written_in_the_decimals_of_its_currency() -> None:
    assert note("CNY") == "厂家贷：首付 50,000.50，贷款 123,456.78，36 期，每期 3,500.01"
    assert note("JPY") == "厂家贷：首付 5,000,050，贷款 12,345,678，36 期，每期 350,001"
    assert note("KWD") == "厂家贷：首付 5,000.050，贷款 12,345.678，36 期，每期 350.001"
