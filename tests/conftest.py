"""One platform for all acceptance tests."""

from collections.abc import Iterator

import pytest

from shared.testing.platform import Platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """All nine services, started as a person starts them."""
    made = Platform()
    try:
        made.start()
        yield made
    finally:
        made.stop()
