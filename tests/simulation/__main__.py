"""`make simulate`: many seeds, or one of them again; a seed that fails says how to see it fail again."""

import argparse
import gc
import sys
import time
from random import Random

from tests.properties.postings import balance
from tests.simulation.bugs import BUGS
from tests.simulation.world import KIT, World

BREATH = 25
"""Runs between two collections of what they leave behind: a world is one great circle of references."""
POSTINGS = 1_000_000


def main() -> None:
    """Exits with 1 when anything is wrong."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, told in full")
    parser.add_argument("--bug", choices=sorted(BUGS), help="with this bug put back")
    parser.add_argument("--postings", type=int, default=POSTINGS, help="random postings of the ledger, against an oracle of its own")
    asked = parser.parse_args()
    kit = BUGS[asked.bug].kit if asked.bug else KIT
    if asked.seed is not None:
        sys.exit(_one(World(asked.seed, kit)))
    failed = _many(range(asked.first, asked.first + asked.seeds), kit, f" BUG='{asked.bug}'" if asked.bug else "")
    sys.exit(_ledger(asked.postings, asked.first) or failed)


def _one(world: World) -> int:
    wrong = world.run()
    print(f"seed {world.seed}: {world.weather}")
    print(
        f"{world.time:.1f} s, {world.crossings} crossings, {world.kills} kills, {len(world.deeds)} commands, {len(world.bus.arrived)} messages"
    )
    print("\n".join(wrong) or "nothing wrong")
    return bool(wrong)


def _many(seeds: range, kit: object, bug: str) -> int:
    began, failed, commands, kills = time.process_time(), 0, 0, 0
    gc.disable()
    for n, seed in enumerate(seeds, 1):
        world = World(seed, kit)  # type: ignore[arg-type]
        if wrong := world.run():
            failed += 1
            print(
                f"seed {seed}: {wrong[0]}{f' and {len(wrong) - 1} more' if wrong[1:] else ''}\n    make simulate SEED={seed}{bug}",
                flush=True,
            )
        commands, kills = commands + len(world.deeds), kills + world.kills
        if n % BREATH == 0:
            gc.collect()
    gc.enable()
    took = time.process_time() - began
    print(f"{len(seeds)} seeds, {commands} commands, {kills} kills in {took:.0f} s of CPU: {failed} failed")
    return bool(failed)


def _ledger(postings: int, seed: int) -> int:
    if not postings:
        return 0
    began = time.process_time()
    wrong = balance(Random(seed), postings)
    print(f"{postings} postings in {time.process_time() - began:.0f} s of CPU: {len(wrong)} balances differ", *wrong[:10], sep="\n    ")
    return bool(wrong)


if __name__ == "__main__":
    main()
