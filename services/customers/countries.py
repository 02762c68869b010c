"""The country a store stands in, told by its time zone: there its customers' telephone numbers are at home."""

from functools import cache
from importlib.resources import files

HOME = "CN"


@cache
def _countries() -> dict[str, str]:
    lines = (files("tzdata.zoneinfo") / "zone.tab").read_text().splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in rows}


def country_of(timezone: str) -> str:
    """The country (ISO 3166) of a time zone; China for one that belongs to none, such as UTC."""
    return _countries().get(timezone, HOME)
