"""The page a run prints, the JSON it leaves, and the line it adds to the history."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.bench.row import Outcome, summary

HISTORY = Path("docs/bench-history.jsonl")


def page(outcome: Outcome) -> str:
    """One row of the issue's table as text."""
    lines = ["", f"{outcome.row.title} ({outcome.row.unit})"]
    lines.append(f"  {'':34} {'median':>9} {'spread':>17} {'p50 ms':>8} {'p99 ms':>8} {'own µs':>8} {'servers µs':>11} {'others':>7}")
    for name, figures in outcome.results.items():
        told = summary(figures)
        spread = f"{_short(told['least'])}–{_short(told['most'])}"
        waits = f"{told['p50_ms']:>8.2f} {told['p99_ms']:>8.2f}" if "p50_ms" in told else f"{'':>8} {'':>8}"
        cpu = f"{told['own_cpu_us']:>8,.0f} {told['server_cpu_us']:>11,.0f} {told['others']:>6.0%}"
        lines.append(f"  {name:34} {_short(told['rate']):>9} {spread:>17} {waits} {cpu}")
    lines += [f"  {name:34} could not be run here: {why}" for name, why in outcome.absent.items()]
    for goal in outcome.row.goals:
        if (value := goal.known(outcome.results)) is None:
            continue
        wanted = f"≥ {goal.least:g}" if goal.least is not None else f"≤ {goal.most:g}"
        lines.append(f"  {'met  ' if goal.met(outcome.results) else 'SHORT'} {goal.text}: {value:.2f} (goal {wanted})")
    return "\n".join(lines)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


def keep(outcomes: Sequence[Outcome], folder: Path, *, history: bool) -> Path:
    """Writes the whole run as JSON; one line of goals to the history where it was asked for."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"at": at, "commit": _commit(), "cores": os.cpu_count(), "python": platform.python_version()}
    rows = [outcome.as_json() for outcome in outcomes]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{at.replace(':', '')}.json"
    file.write_text(json.dumps({**about, "rows": rows}, indent=1))
    if history:
        goals = {row["row"]: {goal["what"]: goal["value"] for goal in row["goals"]} for row in rows}
        with HISTORY.open("a") as lines:
            lines.write(json.dumps({**about, "goals": goals}, ensure_ascii=False) + "\n")
    return file


def _commit() -> str:
    try:
        return subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
