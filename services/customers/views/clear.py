"""Personal fields on their way out: clear to whose customer it is and to those above, masked to the other consultants."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.values.phone import mask
from shared.web.call import Call

HIDDEN = "****"
READ = "customers.read"


def sees_clear(call: Call, row: Mapping[str, Any]) -> bool:
    """A consultant sees his own customers and those of nobody, in his own stores; managers and advisers those of their stores."""
    if not (call.auth.may(READ) and call.auth.has_store(row["store_id"])):
        return False
    above = "sales-consultant" not in call.auth.roles or call.auth.may("leads.all", "leads.assign")
    return above or row["seller_id"] in ("", None, call.auth.subject)


async def opened(call: Call, rows: list[dict[str, Any]], fields: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with `fields` opened, all tokens at once; `****` stands for what nobody can open for now."""
    texts = iter(await call.vault.open_all([row[field] for row in rows for field in fields]))
    for row in rows:
        clear = sees_clear(call, row)
        for field in fields:
            text = next(texts)
            row[field] = HIDDEN if text is None else text if clear or not text else masked(field, text)
        row["masked"] = not clear
    return rows


def masked(field: str, text: str) -> str:
    """A telephone number by its ends, a name by its first character, all else not at all."""
    if field == "phone":
        return mask(text)
    return f"{text[0]}**" if field == "name" else HIDDEN
