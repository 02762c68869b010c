"""The list of attacks is complete and true."""

from itertools import chain

from tests import attacks


def test_the_page_is_current() -> None:
    assert attacks.PAGE.read_text(encoding="utf-8") == attacks.page(), "python -m tests.attacks writes it anew"


def test_every_attack_is_tried_or_waits_for_a_reason() -> None:
    found, numbers = attacks.tests(), [*chain.from_iterable(attacks.ATTACKS.values())]
    assert numbers == list(range(1, 101))
    assert found.keys() <= set(numbers)
    assert found.keys() & attacks.WAITING.keys() == set(), "tried, so it waits no more"
    assert set(numbers) - found.keys() == attacks.WAITING.keys()


def test_what_is_named_beside_is_there() -> None:
    found = attacks.tests()
    assert [name for number, names in attacks.ALSO.items() for name in names if name not in found[number]] == []
