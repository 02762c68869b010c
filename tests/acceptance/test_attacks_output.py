"""Attacks by what is stored and shown again: posted entries, templates, scripts, A71 to A93."""

import io
import re

import httpx2
import pypdf
import pytest

from services.gateway.door import CONSOLE
from shared.testing.platform import Platform
from tests.acceptance.refusals import assert_refused
from tests.acceptance.shop import Shop, cny, did, phone, until

SCRIPT = '<script>alert("zq7")</script><img src=x onerror=alert(1)>'
TEMPLATE = '#sys.version {{7*7}} ${7*7} %(secret)s {0.__class__} #read("pyproject.toml")'


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a71_a_posted_entry_is_neither_edited_nor_deleted(shop: Shop, method: str) -> None:
    shop.car(shop.trim())
    entry = until(lambda: shop.accountant.get("/ledger/entries", limit=1).json()["items"])[0]
    answer = shop.accountant.http.request(method, f"/ledger/entries/{entry['entry_id']}", headers={"if-match": "*"})
    assert_refused(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert shop.accountant.get(f"/ledger/entries/{entry['entry_id']}").json() == entry


def test_a85_a_template_in_a_name_is_text(shop: Shop) -> None:
    """What looks like an expression is printed as it was written, and nothing is read."""
    trim = shop.trim()
    customer = shop.customer(TEMPLATE, phone=phone())
    about = {"store_id": shop.values["south"], "customer_id": customer, "trim_id": trim, "discount": cny("0.00")}
    quote = did(shop.sales, "/quotes", about)
    answer = shop.sales.http.get(f"/quotes/{quote}/quote.pdf")
    assert answer.status_code == 200, answer.text
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    plain = re.sub(r"\s", "", printed)
    assert re.sub(r"\s", "", TEMPLATE) in plain
    assert "49" not in plain.split("%(secret)s")[0].rpartition("sys.version")[2]
    assert "[project]" not in plain


def test_a93_a_script_in_a_name_is_inert(shop: Shop, platform: Platform) -> None:
    """It is kept as text and answered as JSON that no browser takes for a page; the console makes text of it and runs nothing inline."""
    customer = shop.customer(SCRIPT, phone=phone())
    answer = shop.sales.http.get(f"/customers/{customer}")
    assert answer.json()["name"] == SCRIPT
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = httpx2.get(platform.url)
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    for file in CONSOLE.glob("*.*"):
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:", file.read_text())
        assert found == [], file.name
    assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=", (CONSOLE / "index.html").read_text()) == []
