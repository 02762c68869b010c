"""Personal fields on their way out: clear to the owner and to managers, masked to colleagues."""

from collections.abc import Sequence
from typing import Any

from shared.values.phone import mask
from shared.web.call import Call

HIDDEN = "***"


async def opened(call: Call, rows: list[dict[str, Any]], fields: Sequence[str], owner: str = "seller_id") -> list[dict[str, Any]]:
    """The rows with `fields` opened; `***` stands for what nobody can open any more."""
    texts = iter(await call.vault.open_all([row[field] for row in rows for field in fields]))
    for row in rows:
        clear = call.auth.may("leads.all", "leads.assign") or row.get(owner) == call.auth.subject
        for field in fields:
            text = next(texts)
            row[field] = HIDDEN if text is None else text if clear or not text else masked(field, text)
    return rows


def masked(field: str, text: str) -> str:
    """A telephone number by its ends, a name by its first character, all else not at all."""
    if field == "phone":
        return mask(text)
    return f"{text[0]}**" if field == "name" else HIDDEN
