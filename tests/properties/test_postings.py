"""Whatever is bought, sold, paid back and corrected: debits equal credits, and every account shows what the facts say."""

from random import Random

import pytest

from tests.properties.postings import Books, balance

POSTINGS = 20_000


@pytest.mark.parametrize("seed", range(1))
def test_the_books_show_what_the_facts_say(seed: int) -> None:
    """The long form, a million postings, is part of `make simulate`."""
    assert balance(Random(seed), POSTINGS) == []


def test_the_oracle_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cent that goes astray in one entry of a thousand is seen."""
    honest = Books.post

    def careless(self: Books, entry: object, currency: str) -> None:
        honest(self, entry, currency)  # type: ignore[arg-type]
        if self.postings % 1000 == 0:
            self.posted["north", "CNY", "1002"] += 1

    monkeypatch.setattr(Books, "post", careless)
    assert balance(Random(0), POSTINGS) != []
