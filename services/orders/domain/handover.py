"""What stands between a signed order and its keys."""

from collections.abc import Iterable

from shared.values.money import Money

IN_HAND = ("with-us", "redeemed")
"""Where the certificate (合格证) must be: pledged to a bank it is not ours to hand over."""


def car_obstacles(store_id: str, car_at: str | None, certificate: str) -> list[str]:
    """The car stands in the selling store and its certificate is in hand."""
    if car_at is None:
        return ["no car is reserved"]
    obstacles = [] if car_at == store_id else ["the car has not arrived in this store"]
    return obstacles if certificate in IN_HAND else [*obstacles, f"the certificate is {certificate or 'unknown'}"]


def money_obstacles(price: Money, paid: Money, invoiced: Money | None) -> list[str]:
    """Paid in full, and the vehicle sales invoice is about exactly this price."""
    obstacles = [] if paid >= price else ["the balance is unpaid"]
    if invoiced is None:
        return [*obstacles, "the vehicle sales invoice is missing"]
    return obstacles if invoiced == price else [*obstacles, "the invoice is about another price"]


def open_items(checklist: Iterable[str], passed: Iterable[str]) -> list[str]:
    """The items of the checklist nobody has passed yet."""
    done = set(passed)
    return [f"open: {item}" for item in checklist if item not in done]
