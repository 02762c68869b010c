"""Where the real files are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def files() -> Path:
    """The folder FORECOURT_DATA names. Fails where it is not there: these tests are left out by their marker only."""
    folder = os.environ.get("FORECOURT_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.fail("FORECOURT_DATA names no folder: make test-data FORECOURT_DATA=/their/folder")
    return Path(folder)
