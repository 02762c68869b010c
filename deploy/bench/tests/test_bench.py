"""What a run says of its turns; nothing here looks at how fast anything is."""

import asyncio
import json
from pathlib import Path

import pytest

from deploy.bench import report
from deploy.bench.__main__ import main
from deploy.bench.load import Connection, post
from deploy.bench.measure import Figures, Meter, Prepared, Took, callers, times, turn
from deploy.bench.peers.run import Failed, run
from deploy.bench.row import Outcome, Row
from deploy.bench.rows import ROWS

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
