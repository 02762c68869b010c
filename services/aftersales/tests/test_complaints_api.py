"""Complaints over HTTP on PostgreSQL: clock, escalation, feedback, history."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from services.aftersales.domain.complaint import MINUTES
from services.aftersales.tests.hearing import CUSTOMER, LI, OTHER_STORE, SHANGHAI, SOUTHERNER, STORE, WU
from services.aftersales.tests.running import Running, running
from shared.testing.hearing import an_id
from shared.testing.servers import FreshDatabase
from shared.values.clock import local_time, utc_now


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Running]:
    """The running service."""
    async with running(fresh_database) as made:
        yield made


def words(**more: Any) -> dict[str, Any]:
    """The body of a complaint."""
    return {"customer_id": CUSTOMER, "store_id": STORE, "severity": "urgent", "text": "还是有异响"} | more


async def entries(desk: Running, id: str) -> list[tuple[str, str]]:
    """What happened and what was said."""
    return [(one["what"], one["text"]) for one in (await desk.get(f"/complaints/{id}")).json["entries"]]


@pytest.mark.touches("AFT-04")
async def test_a_complaint_from_the_first_word_to_the_last(desk: Running) -> None:
    id = await desk.did("/complaints", words(), "li")
    shown = (await desk.get(f"/complaints/{id}", "li")).json
    assert (shown["status"], shown["customer"], shown["number"][:7]) == ("open", "林悦", "CP-BJ1-")
    due = local_time(datetime.fromisoformat(shown["due_at"]), SHANGHAI)
    assert 9 <= due.hour <= 18
    assert (due - utc_now()).total_seconds() >= (MINUTES["urgent"] - 1) * 60
    await desk.did(f"/complaints/{id}/assign", {"staff_id": WU}, "zhao")
    await desk.did(f"/complaints/{id}/progress", {"text": "已致电"})
    await desk.did(f"/complaints/{id}/resolve", {"text": "已更换衬套"})
    await desk.did(f"/complaints/{id}/feedback", {"score": 2, "text": "还响"}, "li")
    await desk.did(f"/complaints/{id}/reopen", {"text": "又来了"}, "li")
    shown = (await desk.get(f"/complaints/{id}")).json
    assert (shown["status"], shown["reopened"], shown["assigned_to"], shown["score"]) == ("open", 1, WU, None)
    assert await entries(desk, id) == [
        ("opened", "还是有异响"),
        ("assigned", ""),
        ("progress", "已致电"),
        ("resolved", "已更换衬套"),
        ("feedback", "还响"),
        ("reopened", "又来了"),
    ]
    assert (len(await desk.told("ComplaintOpened")), len(await desk.told("ComplaintResolved"))) == (2, 1)


@pytest.mark.touches("AFT-04")
async def test_a_late_complaint_is_told_to_the_manager_once(desk: Running) -> None:
    late, settled = await desk.did("/complaints", words()), await desk.did("/complaints", words())
    await desk.did(f"/complaints/{settled}/resolve", {"text": "done"})
    await desk.all_due()
    await desk.all_due()
    listed = {one["complaint_id"]: one["escalated_to"] for one in (await desk.get("/complaints", "zhao")).json["items"]}
    assert listed == {late: "sales-manager", settled: None}
    assert [what for what, _ in await entries(desk, late)] == ["opened", "escalated"]


async def test_words_are_stored_sealed(desk: Running) -> None:
    id = await desk.did("/complaints", words())
    await desk.did(f"/complaints/{id}/progress", {"text": "已致电"})
    rows = (await desk.store.load([f"complaint-{id}"])).events[f"complaint-{id}"]
    assert not any("异响" in row.data or "已致电" in row.data for row in rows)
    await desk.vault.forget(CUSTOMER)
    assert [text for _, text in await entries(desk, id)] == ["***", "***"]


BAD_COMPLAINTS: list[tuple[dict[str, Any], str]] = [
    (words(text=""), "validation"),
    (words(severity="whatever"), "validation"),
    (words(customer_id=an_id(99)), "unknown-reference"),
    (words(store_id=OTHER_STORE), "unknown-reference"),
    (words(due_at="2026-01-01"), "unknown-field"),
]


async def test_a_bad_complaint_is_refused(desk: Running) -> None:
    for body, problem in BAD_COMPLAINTS:
        assert (await desk.post("/complaints", body)).problem == problem, body
    assert (await desk.get("/complaints")).json["items"] == []


async def test_a_complaint_is_its_store_s(desk: Running) -> None:
    id = await desk.did("/complaints", words())
    assert (await desk.get(f"/complaints/{id}", "southerner")).status == 404
    assert (await desk.get("/complaints", "southerner")).json["items"] == []
    for command in ("progress", "resolve", "reopen"):
        assert (await desk.post(f"/complaints/{id}/{command}", {"text": "x"}, "southerner")).status == 404
    assert (await desk.post(f"/complaints/{id}/assign", {"staff_id": SOUTHERNER})).problem == "unknown-reference"
    assert (await desk.post(f"/complaints/{id}/assign", {"staff_id": LI})).status == 200
    assert (await desk.post(f"/complaints/{id}/feedback", {"score": 6})).problem == "validation"
