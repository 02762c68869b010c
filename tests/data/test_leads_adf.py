"""Every ADF lead of the real files comes in through the gateway."""

import time
from pathlib import Path
from uuid import uuid4

import pytest

from shared.testing.group import Group, make_group
from shared.testing.platform import Platform

pytestmark = pytest.mark.data

VENDORS = {"AutoTrader": "CA", "Test Vendor": "US", "Test dealer": "CA", "Approval Genie": "CA", "Acura of Bellevue": "US"}
VENDORS |= {"Carmelo's Internet Outlet": "US", "Hudson Valley Automotive": "US"}
"""The vendors the files name, with the country of their customers' telephone numbers."""

LEADS = {
    "04_autotrader_ca_clean.xml": ("Priya Singh", "Honda"),
    "08_valid_adf_version_attr.xml": ("John Doe", "Honda"),
    "11_fetchauto_ca_cdata_comments.xml": ("Peter Smith", ""),  # its <make> is empty
    "12_approvalgenie_ca_multi_phone.xml": ("John Test01292019", "Hyundai"),
    "13_minimal_x1.xml": ("John Doe", "Chevrolet"),
    "14_sendadf_readme_1.xml": ("John Doe", "Chevrolet"),
    "15_sendadf_readme_2.xml": ("John Doe", "Chevrolet"),
    "16_sendadf_readme_3.xml": ("John Doe", "Chevrolet"),
    "21_sendadf_example_1.xml": ("John Doe", "Chevrolet"),
    "22_sendadf_example_2.xml": ("John Doe", "Chevrolet"),
    "23_sendadf_example_3.xml": ("John Doe", "Chevrolet"),
    "25_sendadf_example_5.xml": ("John Doe", "DODGE"),  # the first car he wants; the Chevrolet is to be traded in
}
"""Person and brand of the one prospect in each file, as a person reads them."""
ONE_MAN = ("22_sendadf_example_2.xml", "23_sendadf_example_3.xml")
"""The same e-mail address asks for the same brand: one lead, touched twice."""
STRANGERS = ("13_minimal_x1.xml", "14_sendadf_readme_1.xml", "15_sendadf_readme_2.xml", "21_sendadf_example_1.xml")
"""No e-mail address, and a telephone number that is none in the United States: nobody can tell one John Doe from the other."""
NUMBERED = ("08_valid_adf_version_attr.xml", "11_fetchauto_ca_cdata_comments.xml")
"""Their sender numbered them: whatever else changes, it is the same request."""
NO_VENDOR = "16_sendadf_readme_3.xml"


@pytest.fixture(scope="module")
def group(platform: Platform) -> Group:
    """A group that has been told to which store the leads of each vendor belong."""
    made = make_group(platform)
    for vendor, region in VENDORS.items():
        made.people["admin"].did("/intake/vendors", {"vendor": vendor, "store_id": made.values["south"], "region": region})
    return made


@pytest.fixture(scope="module")
def documents(files: Path) -> dict[str, bytes]:
    """The files by name; each is known above."""
    found = {file.name: file.read_bytes() for file in sorted((files / "leads-adf").glob("*.xml"))}
    assert found.keys() == LEADS.keys()
    return found


@pytest.fixture(scope="module")
def leads(group: Group, documents: dict[str, bytes]) -> dict[str, str]:
    """The lead each file became at its first intake."""
    return {name: send(group, document) for name, document in documents.items()}


def send(group: Group, document: bytes) -> str:
    """Sends a document of one prospect; the lead it became or touched."""
    headers = {"content-type": "application/x-adf+xml", "idempotency-key": str(uuid4())}
    until = time.monotonic() + 15
    while (answer := group.people["manager"].http.post("/intake/adf", content=document, headers=headers)).status_code != 201:
        assert time.monotonic() < until, answer.text  # leads has not yet heard of the new store
        time.sleep(0.1)
    (item,) = answer.json()["items"]
    assert item["store_id"] == (group.values["south"] if b"<vendor>" in document else None)
    return str(item["id"])


def touches(group: Group, leads: dict[str, str]) -> dict[str, int]:
    """How often each lead was touched, by the files that did."""
    return {name: group.people["owner"].get(f"/leads/{lead}").json()["touches"] for name, lead in leads.items()}


def later(document: bytes) -> bytes:
    """The same request, sent another day."""
    return document.replace(b"<requestdate>20", b"<requestdate> 20")


def test_every_prospect_becomes_a_lead_with_a_person_and_a_brand(group: Group, documents: dict[str, bytes], leads: dict[str, str]) -> None:
    prospects = sum(document.count(b"<prospect") for document in documents.values())
    rows = {name: group.people["owner"].eventually(f"/leads/{lead}", lead_id=lead) for name, lead in leads.items()}
    assert {name: (row["name"], row["brand"]) for name, row in rows.items()} == LEADS
    assert all(row["person_id"] for row in rows.values())
    assert leads[ONE_MAN[0]] == leads[ONE_MAN[1]]
    assert len(set(leads.values())) == prospects - 1
    assert sum({leads[name]: row["touches"] for name, row in rows.items()}.values()) == prospects
    assert {name for name, row in rows.items() if row["status"] == "unplaced"} == {NO_VENDOR}


def test_the_same_documents_again_change_nothing(group: Group, documents: dict[str, bytes], leads: dict[str, str]) -> None:
    before = touches(group, leads)
    assert {name: send(group, document) for name, document in documents.items()} == leads
    assert touches(group, leads) == before


def test_asking_again_touches_the_lead_and_makes_no_other(group: Group, documents: dict[str, bytes], leads: dict[str, str]) -> None:
    """But for those whom nobody can recognise, and those whose sender says that it is the same request."""
    before = touches(group, leads)
    again = {name: send(group, later(document)) for name, document in documents.items()}
    assert {name for name in leads if again[name] != leads[name]} == set(STRANGERS)
    more = {name: n - before[name] for name, n in touches(group, leads).items()}
    assert more == {name: 2 if name in ONE_MAN else 0 if name in STRANGERS + NUMBERED else 1 for name in leads}
