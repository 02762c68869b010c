"""What operators do to the running platform, on whatever the tests before this one have left in it."""

import asyncio
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import httpx2

from deploy.local.plan import SERVICES, Plan
from shared import operator
from shared.ops.settings import Settings
from shared.service import Service
from shared.testing.group import Group
from shared.testing.platform import ROOT, Platform
from tests.acceptance.databases import Databases


def settings_of(databases: Databases, context: str) -> Settings:
    """What an operator needs to know of a service."""
    told = databases.environment(context)
    return Settings.model_construct(
        writer_url=told["FORECOURT_WRITER_URL"],
        reader_url=told["FORECOURT_READER_URL"],
        kafka=told["FORECOURT_KAFKA"],
        topic_prefix=told["FORECOURT_TOPIC_PREFIX"],
        anchors=Path(told["FORECOURT_ANCHORS"]),
    )


def service_of(context: str) -> Service:
    service: Service = import_module(f"services.{context}.app").service
    return service


async def test_every_view_rebuilt_from_its_history_is_the_live_one(databases: Databases) -> None:
    wrong = {}
    for context in SERVICES:
        wrong[context] = await operator.rebuild_views(service_of(context), settings_of(databases, context))
    assert set(wrong.values()) == {0}, wrong


async def test_every_event_is_as_it_was_stored(databases: Databases) -> None:
    for context in SERVICES:
        assert await operator.verify_store(service_of(context), settings_of(databases, context)) == 0


def test_the_command_line_reaches_every_service(platform: Platform, group: Group) -> None:
    """As an operator types it, in a process of its own."""
    forecourt = [sys.executable, "-m", "deploy.cli"]
    told = subprocess.run([*forecourt, "all", "lag"], env=os.environ | platform.place, capture_output=True, text=True, cwd=ROOT)
    assert told.returncode in (0, 1) and "Traceback" not in told.stderr, told.stderr
    assert [context for context in SERVICES if f"{context}: " not in told.stdout] == []
    stream = f"store-{group.values['south']}"
    told = subprocess.run(
        [*forecourt, "gateway", "stream", stream], env=os.environ | platform.place, capture_output=True, text=True, cwd=ROOT
    )
    assert told.returncode == 0, told.stderr
    assert f"{stream}@1  StoreOpened" in told.stdout and "is whole" in told.stdout


def test_the_gateway_tells_operators_alone_how_it_is(platform: Platform, group: Group) -> None:
    inside = f"http://127.0.0.1:{Plan.from_environment(platform.place).ops}"
    assert [group.people["owner"].get("/leads").status_code for _ in range(4)] == [200] * 4
    told = httpx2.get(f"{inside}/metrics").text
    if not os.environ.get("SCALE"):  # there who relays is another process than who serves
        assert 'forecourt_relay_leading{context="gateway"} 1.0' in told
    assert 'forecourt_http_requests_total{method="",route="leads",status="200"}' in told
    assert 'forecourt_unanswered_total{context="leads",why="lost"}' in told
    assert [httpx2.get(inside + path).status_code for path in ("/readyz", "/", "/api/v1/auth/me", "/openapi.json")] == [200, 404, 404, 404]


async def test_a_store_told_again_changes_nothing_for_those_who_heard_it(databases: Databases) -> None:
    """Gateway tells everything again: every other service drops it by its marks."""
    before = databases.rows("reporting", "select count(*) as n from heard_1 where source = 'gateway'")
    settings = settings_of(databases, "gateway")
    assert await operator.republish(service_of("gateway"), settings) == 0
    (row,) = databases.rows("gateway", "select starts from republications order by id desc limit 1")
    assert sum(row["starts"].values()) > 0
    for _ in range(100):
        (lag,) = databases.rows("reporting", "select sum(next) as n from offsets where topic like '%%.gateway'")
        if lag["n"] >= sum(row["starts"].values()) + before[0]["n"]:
            break
        await asyncio.sleep(0.1)
    assert databases.rows("reporting", "select count(*) as n from heard_1 where source = 'gateway'") == before
