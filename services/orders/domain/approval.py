"""Who may act on a sale, and who may approve what: down payment, discount authority by role, always a second pair of eyes."""

from collections.abc import Collection

from shared.decider import Rejected, message
from shared.values.money import Money


@message
class Authority:
    """The discount a role may grant, in permille of the list price."""

    role: str
    discount_permille: int


@message
class Grant:
    """What was asked of the approver and what his roles allow."""

    discount_permille: int
    authority_permille: int


def check_down_payment(price: Money, down_payment: Money, minimum_permille: int) -> None:
    """At least this part of the price is paid before a lender steps in."""
    if down_payment.minor * 1000 < price.minor * minimum_permille:
        raise Rejected("down-payment-too-low", f"The down payment is below {_percent(minimum_permille)} of the price.")


def grant(list_price: Money, price: Money, roles: Collection[str], authorities: Collection[Authority]) -> Grant:
    """Rejected when the discount is beyond the approver's roles; the reason names the lowest role that may grant it."""
    discount = max(0, list_price.minor - price.minor)
    needed = -(-discount * 1000 // list_price.minor)
    own = max((authority.discount_permille for authority in authorities if authority.role in roles), default=0)
    if needed <= own:
        return Grant(discount_permille=needed, authority_permille=own)
    able = sorted((authority.discount_permille, authority.role) for authority in authorities if authority.discount_permille >= needed)
    who = f"the {able[0][1]} may grant it" if able else "nobody may grant it"
    raise Rejected("above-authority", f"A discount of {_percent(needed)} is above your {_percent(own)}; {who}.")


def check_own(by: str, manager: bool, seller_id: str) -> None:
    """A consultant acts on his own quotes and orders, a manager on everybody's."""
    if by != seller_id and not manager:
        raise Rejected("not-yours", "Only the seller himself, or a manager, may do this.")


def check_four_eyes(approver: str, involved: Collection[str]) -> None:
    """Nobody approves what he sold, changed or submitted himself."""
    if approver in involved:
        raise Rejected("four-eyes", "Whoever sold, changed or submitted an order does not approve it.")


def _percent(permille: int) -> str:
    return f"{permille / 10:g} %"
