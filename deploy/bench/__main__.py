"""`python -m deploy.bench`: measures ours and the peers in turns and prints one page. ONLY=row,row SECONDS=3 ROUNDS=3 HISTORY=1 PEERS=0."""

import argparse
import sys
import traceback
from pathlib import Path

import uvloop

from deploy.bench import report
from deploy.bench.row import measured
from deploy.bench.rows import ROWS

RESULTS = Path(".cache/bench/results")


def main() -> int:
    """Runs the rows that are asked for; 1 when one of these names is none."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bench")
    parser.add_argument("--only", default="", help="rows, with commas between; all when left out")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every contender")
    parser.add_argument("--history", action="store_true", help="add this run's goals to docs/bench-history.jsonl")
    asked = parser.parse_args()
    names = [name for name in asked.only.split(",") if name] or list(ROWS)
    if unknown := [name for name in names if name not in ROWS]:
        print(f"There is no row {', '.join(unknown)}: choose from {', '.join(ROWS)}.", file=sys.stderr)
        return 1
    outcomes = []
    for name in names:
        try:
            outcomes.append(uvloop.run(measured(ROWS[name], asked.seconds, asked.rounds)))
        except Exception as error:  # the other rows are still worth their minutes
            print(f"\n{ROWS[name].title}: failed\n{''.join(traceback.format_exception(error))}", file=sys.stderr, flush=True)
            continue
        print(report.page(outcomes[-1]), flush=True)
    print(f"\nWritten to {report.keep(outcomes, RESULTS, history=asked.history)}")
    return 0 if len(outcomes) == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
