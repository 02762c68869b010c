"""A platform with several processes of every kind and three brokers, one of them down: the same tests on it as on any other."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.testing.platform import Platform
from tests.chaos.links import Links
from tests.chaos.plant import Works


@contextmanager
def scaled(scale: int) -> Iterator[Platform]:
    """`scale` processes of each kind; its url leads to all gateways in turn."""
    platform = Platform(("tests.chaos.plant",), {"SCALE": str(scale)})
    works = Works.at(platform.place, scale)
    platform.url = works.front
    with Links(works.ways()):
        try:
            platform.start()
            yield platform
        finally:
            platform.stop()
