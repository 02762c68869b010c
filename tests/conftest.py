"""One platform for all acceptance tests."""

import os
from collections.abc import Iterator

import pytest

from shared.testing.platform import Platform
from tests.scaled import scaled


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """All nine services, started as a person starts them; with SCALE, so many processes of each (`make scale`)."""
    if (scale := int(os.environ.get("SCALE") or 1)) > 1:
        with scaled(scale) as several:
            yield several
        return
    made = Platform()
    try:
        made.start()
        yield made
    finally:
        made.stop()
