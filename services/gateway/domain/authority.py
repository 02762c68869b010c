"""An authority: how much discount a role may approve for a series."""

from datetime import datetime

from services.gateway.domain.roles import PERMISSIONS
from shared.decider import Decider, Rejected, message


@message
class GrantAuthority:
    role: str
    series: str
    """`*`: every series without a row of its own."""
    discount_permille: int
    at: datetime


@message
class AuthorityGranted:
    role: str
    series: str
    discount_permille: int


@message
class Authority:
    discount_permille: int | None = None


def decide(command: GrantAuthority, state: Authority) -> list[AuthorityGranted]:
    if command.role not in PERMISSIONS:
        raise Rejected("unknown-role", f"There is no role {command.role}.")
    if not 0 <= command.discount_permille <= 1000:
        raise Rejected("authority-range", "A discount is between 0 and 1000 per mille.")
    if command.discount_permille == state.discount_permille:
        return []
    return [AuthorityGranted(role=command.role, series=command.series, discount_permille=command.discount_permille)]


def evolve(state: Authority, event: AuthorityGranted) -> Authority:
    return Authority(discount_permille=event.discount_permille)


authority = Decider[GrantAuthority, Authority, AuthorityGranted](Authority(), decide, evolve)
