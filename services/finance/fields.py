"""The names of finance's own things as they stand in addresses and queries."""

import re
from typing import Annotated

from services.finance.domain.chart import CHART
from shared.web.body import FromText, error

_ENTRY = re.compile(r"(account|car|payable|journal)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9]{1,6}")
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def read_entry_id(text: str) -> str:
    """The stream of an entry and its number there."""
    if not _ENTRY.fullmatch(text):
        raise error("string_pattern_mismatch")
    return text


def read_ledger_number(text: str) -> str:
    """An account of the chart."""
    if text not in CHART:
        raise error("unknown")
    return text


def read_month(text: str) -> str:
    """A month such as `2026-03`."""
    if not _MONTH.fullmatch(text):
        raise error("string_pattern_mismatch")
    return text


EntryId = Annotated[str, FromText(read_entry_id, "account-0192f3a4-5b6c-7d8e-9f01-23456789abcd.1", pattern=f"^{_ENTRY.pattern}$")]
LedgerNumber = Annotated[str, FromText(read_ledger_number, "1405", pattern=f"^({'|'.join(CHART)})$")]
Month = Annotated[str, FromText(read_month, "2026-03", pattern=f"^{_MONTH.pattern}$")]
