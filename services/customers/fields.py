"""The fields of a customer's record as people write them."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from services.customers.domain.customer_messages import Indexes
from shared.values.clock import utc_now
from shared.values.phone import normalise
from shared.web.body import Clean, FromText, error, read_email
from shared.web.problems import FieldError, Problem

_DAY = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"C-[A-Z][A-Z0-9]{1,9}-[0-9]{8}-[0-9]{3,6}")
_DIGITS4 = re.compile(r"[0-9]{4}")


def read_birthday(text: str) -> date:
    """A day since 1900 that is not to come."""
    try:
        if not _DAY.fullmatch(text) or (day := date.fromisoformat(text)) > utc_now().date() + timedelta(days=1):
            raise ValueError
    except ValueError:
        raise error("must be a day such as 1990-05-17, from 1900 to today") from None
    return day


def read_address(text: str) -> str:
    """An e-mail address, or the empty text."""
    return read_email(text) if text else ""


def read_number(text: str) -> str:
    """A customer's number."""
    if not _NUMBER.fullmatch(text):
        raise error("string_pattern_mismatch")
    return text


def read_digits4(text: str) -> str:
    """Four digits."""
    if not _DIGITS4.fullmatch(text):
        raise error("string_pattern_mismatch")
    return text


def read_phone(text: str, region: str, field: str) -> str:
    """A telephone number in E.164, read as people in `region` write it. Raises Problem naming the field."""
    if (e164 := normalise(text, region).e164) is None:
        raise Problem("validation", errors=[FieldError(field, "phone")])
    return e164


def indexes_of(vault: Any, phone: str, email: str) -> Indexes:
    """The blind indexes of an E.164 number and an address; empty texts have none."""
    return Indexes(
        phone=vault.index("phone", phone) if phone else "",
        phone_last4=vault.index("phone-last4", phone[-4:]) if phone else "",
        email=vault.index("email", email.casefold()) if email else "",
    )


async def sealed(vault: Any, person_id: str, texts: Mapping[str, str | None]) -> dict[str, Any]:
    """The texts under the person's key; None stays None. Raises VaultUnavailable."""
    return {name: await vault.seal_optional(person_id, text) for name, text in texts.items()}


PhoneWritten = Annotated[str, Clean(most=30, least=1, example="138 0013 8000")]
EmailOrNone = Annotated[str, FromText(read_address, "lin.yue@example.com")]
BirthdayText = Annotated[date, FromText(read_birthday, "1990-05-17", "date")]
NumberText = Annotated[str, FromText(read_number, "C-BJ1-20261122-001", pattern=f"^{_NUMBER.pattern}$")]
Digits4 = Annotated[str, FromText(read_digits4, "8000", pattern=f"^{_DIGITS4.pattern}$")]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["CN"])]
"""A country by its two letters (ISO 3166)."""
Word = Annotated[str, Clean(most=80, example="Lavida")]
"""A short line, may be empty."""
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$", examples=["marketing-sms"])]
Channel = Literal[
    "walk-in", "phone", "website", "mini-program", "auto-show", "ad", "social", "third-party", "referral", "campaign", "partner"
]
Gender = Literal["female", "male", "other"]
