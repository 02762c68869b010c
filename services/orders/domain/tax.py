"""Purchase tax (车辆购置税) of a new car: one rounding per step, half up, as the tax office does."""

from shared.decider import message
from shared.values.money import Money, permille, vat_inside


@message
class PurchaseTax:
    """The rule in force: the rate on the price without VAT, and the relief for catalogued new-energy cars."""

    rate_permille: int
    relief_permille: int = 0
    relief_cap: Money | None = None
    source: str


@message
class TaxDue:
    """How the tax of one car came about; `due` is `full` less `relief`."""

    net: Money
    full: Money
    relief: Money
    due: Money
    source: str


def purchase_tax(price: Money, vat_permille: int, rule: PurchaseTax) -> TaxDue:
    """The tax of a car at a price that includes VAT. Relief is a share of the tax and never above its cap."""
    net, _ = vat_inside(price, vat_permille)
    full = permille(net, rule.rate_permille)
    relief = permille(full, rule.relief_permille)
    if rule.relief_cap is not None:
        relief = min(relief, rule.relief_cap)
    return TaxDue(net=net, full=full, relief=relief, due=full - relief, source=rule.source)
