"""What a run says of its turns; nothing here looks at how fast anything is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.bench import __main__ as bench
from deploy.bench import history, rebuild, report, visible
from deploy.bench.__main__ import main
from deploy.bench.load import Connection, post
from deploy.bench.measure import Contenders, Figures, Meter, Prepared, Took, callers, times, turn
from deploy.bench.model import deals
from deploy.bench.peers import install
from deploy.bench.peers.run import Failed, run
from deploy.bench.place import Place
from deploy.bench.row import Outcome, Row
from deploy.bench.rows import ROWS
from deploy.bench.visible import Sight
from deploy.local.process import Problem
from deploy.local.setup import at
from shared.testing.servers import FreshDatabase, Servers

SLOW, FAST, AWAY = "raw", "ours", "peer"


def outcome() -> Outcome:
    results = {SLOW: Figures(rates=[100.0, 90.0, 300.0]), FAST: Figures(rates=[50.0, 70.0, 60.0], p50=[2.0], p99=[9.0])}
    for figures in results.values():
        figures.own_cpu, figures.server_cpu, figures.others = [10.0], [5.0], [0.25]
    goals = (times(FAST, SLOW, 0.5), times(FAST, SLOW, 0.7), times(FAST, AWAY, 2))
    row = Row(name="row", title="A row", unit="turns a second", contenders=ROWS["append"].contenders, goals=goals)
    return Outcome(row=row, results=results, absent={AWAY: "no network"})


def test_a_page_tells_medians_spread_what_is_met_and_what_could_not_be_run() -> None:
    lines = report.page(outcome()).splitlines()
    assert any(line.split()[:3] == ["raw", "100", "90.00–300"] for line in lines)
    assert [line.split(":")[0].strip() for line in lines[-2:]] == ["met   ours ÷ raw", "SHORT ours ÷ raw"]
    assert f"  {AWAY:34} could not be run here: no network" in lines


def test_a_goal_against_a_peer_that_is_away_is_neither_met_nor_missed() -> None:
    told = outcome().as_json()
    assert [(goal["value"], goal["met"]) for goal in told["goals"]] == [(0.6, True), (0.6, False)]
    assert told["contenders"][FAST]["p99_ms"] == 9.0


def test_a_run_is_kept_and_adds_a_line_to_the_history_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "HISTORY", tmp_path / "history.jsonl")
    kept = json.loads(report.keep([outcome()], tmp_path / "results", history=False).read_text())
    assert kept["rows"][0]["contenders"][SLOW]["most"] == 300.0
    assert not report.HISTORY.exists()
    report.keep([outcome()], tmp_path / "results", history=True)
    assert json.loads(report.HISTORY.read_text())["goals"] == {"row": {"ours ÷ raw": 0.6}}


async def test_work_before_a_turn_is_not_part_of_it() -> None:
    done: list[str] = []

    async def prepare() -> None:
        done.append("prepared")

    async def work(seconds: float) -> Took:
        done.append("worked")
        return Took(operations=4, seconds=2.0, cpu=0.002, latencies=[0.003, 0.001, 0.002, 0.004])

    figures = Figures()
    await turn(Prepared(prepare, work), 1.0, Meter(list), figures)
    assert done == ["prepared", "worked"]
    assert (figures.rates, figures.own_cpu, figures.p50, figures.p99) == ([2.0], [500.0], [3.0], [4.0])


async def test_callers_ask_at_least_once_each() -> None:
    asked: set[int] = set()

    async def ask(caller: int) -> None:
        asked.add(caller)
        await asyncio.sleep(0)

    took = await callers(3, 0.001, ask)
    assert asked == {0, 1, 2}
    assert took.operations == len(took.latencies) >= 3


async def test_an_answer_in_pieces_is_one_answer() -> None:
    connection, wire = Connection(), asyncio.get_running_loop().create_future()

    class Wire(asyncio.Transport):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            wire.set_result(bytes(data))

    connection.connection_made(Wire())
    asking = asyncio.create_task(connection.ask(post("/x", b"{}", idempotency_key="k")))
    assert b"idempotency-key: k\r\n" in await wire
    for piece in (b"HTTP/1.1 201 Created\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"):
        connection.data_received(piece)
    assert await asking == (201, b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello")


async def test_a_peer_that_fails_says_why() -> None:
    with pytest.raises(Failed, match="no such store"):
        await run(["sh", "-c", "echo no such store >&2; exit 3"])
    took = await run(["sh", "-c", """echo '{"operations": 2, "seconds": 1.0}'"""])
    assert (took.operations, took.seconds) == (2, 1.0)


def test_a_row_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--only", "append,nothing"])
    assert main() == 1
    assert "nothing" in capsys.readouterr().err


async def test_a_figure_that_is_no_rate_is_taken_as_it_is() -> None:
    async def start(seconds: float) -> Took:
        return Took(operations=1, seconds=seconds, figure=115.0)

    figures = Figures()
    await turn(start, 2.0, Meter(list), figures)
    assert figures.rates == [115.0]


async def test_a_command_is_seen_once_and_a_wait_counts_from_its_commit() -> None:
    sight, asked = Sight(), list[str]()

    async def command(id: str) -> None:
        asked.append(id)
        asyncio.get_running_loop().call_later(0.02, sight.see, [id])
        asyncio.get_running_loop().call_later(0.2, sight.see, [id])

    took = await sight.at_a_pace(command)(0.1)
    assert took.operations == len(took.latencies) == len(set(asked)) == 5
    assert all(0.005 < wait < 0.15 for wait in took.latencies)


async def test_a_command_that_nobody_sees_fails_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visible, "PATIENCE", 0.05)
    with pytest.raises(Problem, match="1 of 1 commands were not seen"):
        await Sight().at_a_pace(lambda id: asyncio.sleep(0))(0.01)


def test_what_a_fold_by_hand_makes_is_what_the_kit_makes() -> None:
    assert ", ".join(f"{name} {kind}" for name, kind in deals.columns.items()) == rebuild.COLUMNS


def test_peers_are_left_out_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERS", "0")
    for wanted in (install.peers, install.node, install.modules):
        with pytest.raises(install.NotInstalled, match="PEERS=0"):
            wanted()


def test_a_row_that_fails_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    @asynccontextmanager
    async def contenders(place: Place) -> AsyncIterator[Contenders]:
        raise Problem("no such table")
        yield {}

    row = Row(name="broken", title="A broken row", unit="", contenders=contenders, goals=())
    monkeypatch.setattr(bench, "ROWS", {"broken": row})
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["bench"])
    assert main() == 1
    assert "no such table" in capsys.readouterr().err


async def test_copies_are_of_others_and_of_their_time(fresh_database: FreshDatabase, servers: Servers) -> None:
    url, _ = await fresh_database("copies")
    superuser = at(servers.postgres, url.rpartition("/")[2])
    first = "0192f3a4-0000-7000-8000-000000000001"
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("create table log (stream text, version int, id uuid, data bytea, hash bytea, at timestamptz)")
        connection.execute(
            "insert into log values (%s, 1, gen_random_uuid(), %s, %s, now())",
            [f"deal-{first}", f'{{"id":"{first}"}}'.encode(), b"\x01\xff"],
        )
        history.copy_rows(superuser, "log", "substr(stream, 6)", 2)
        rows = connection.execute(
            "select substr(stream, 6), version, id, convert_from(data, 'UTF8'), hash, at from log order by at"
        ).fetchall()
    ids = [row[0] for row in rows]
    assert ids == sorted(set(ids)) and ids[-1] == first and len(ids) == 3
    assert [row[3] for row in rows] == [f'{{"id":"{id}"}}' for id in ids]
    assert len({row[2] for row in rows}) == 3
    assert {(row[1], row[4]) for row in rows} == {(1, b"\x01\xff")}
    assert 360 < (rows[1][5] - rows[0][5]).days < 1000
