"""The real ADF files of several vendors are all read."""

import os
from pathlib import Path

import pytest

from services.leads.intake.adf import parse

FILES = sorted(Path(os.environ.get("FORECOURT_DATA", "")).glob("leads-adf/*.xml"))

pytestmark = pytest.mark.data


def test_every_file_is_a_lead_with_a_person_and_a_way_to_reach_him() -> None:
    assert len(FILES) >= 12
    for file in FILES:
        for prospect in parse(file.read_bytes()):
            assert prospect.name, file.name
            assert prospect.phones or prospect.email, file.name
            assert prospect.vehicle is not None, file.name
            assert prospect.requested_at is not None, file.name
