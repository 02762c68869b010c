"""Amounts in Chinese capitals (人民币大写), as contracts and vouchers need them."""

from shared.values.money import Money

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ((1000, "仟"), (100, "佰"), (10, "拾"), (1, ""))
_GROUPS = ((10**8, "亿"), (10**4, "万"), (1, ""))
_LIMIT = 10**12


def rmb_capitals(amount: Money) -> str:
    """`贰拾万元伍角整`: 整 closes whatever ends before 分; zeros within are one 零, none is written between 元 and 角.

    ValueError for another currency and from a trillion yuan on.
    """
    if amount.currency != "CNY":
        raise ValueError("Only amounts in CNY are written in RMB capitals.")
    yuan, fen = divmod(abs(amount.minor), 100)
    if yuan >= _LIMIT:
        raise ValueError("The amount is too large to be written in capitals.")
    sign = "负" if amount.minor < 0 else ""
    whole = f"{_integer(yuan)}元" if yuan else ""
    if fen == 0:
        return f"{sign}{whole or '零元'}整"
    jiao, fen = divmod(fen, 10)
    tenths = f"{_DIGITS[jiao]}角" if jiao else ("零" if whole else "")
    return f"{sign}{whole}{tenths}" + (f"{_DIGITS[fen]}分" if fen else "整")


def _integer(number: int) -> str:
    """Groups of four digits, each with its name; a group that begins with a zero, or follows an empty one, is joined by 零."""
    written, gap = "", False
    for size, name in _GROUPS:
        group = number // size % 10_000
        if group:
            joint = "零" if written and (gap or group < 1000) else ""
            written += joint + _group(group) + name
        gap = group == 0
    return written


def _group(group: int) -> str:
    written, gap = "", False
    for size, name in _PLACES:
        digit = group // size % 10
        if digit:
            joint = "零" if written and gap else ""
            written += joint + _DIGITS[digit] + name
        gap = digit == 0
    return written
