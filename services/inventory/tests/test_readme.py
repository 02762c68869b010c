"""The README names every command, every event and what each becomes outside."""

from pathlib import Path
from typing import get_args

from services.inventory import publishes
from services.inventory.domain import car, purchase_order, stock_level, transfer, trim
from services.inventory.processes import allocation
from services.inventory.upcasts import stored
from shared.contracts import PUBLISHED

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_command_and_event_is_in_the_table() -> None:
    table = README.partition("## Streams, commands, events")[2].partition("## Publishes")[0]
    for module in (trim, purchase_order, car, transfer, stock_level, allocation):
        for message in (*get_args(module.Command.__value__), *get_args(module.Event.__value__)):
            assert message.__name__ in table
    assert set(stored.events) <= {word.strip("|,()") for word in table.split()}


def test_every_public_event_is_named() -> None:
    told = README.partition("## Publishes")[2].partition("## Listens to")[0]
    ours = {name.split(".")[1] for name in PUBLISHED if name.startswith("inventory.")}
    assert {word.strip(",.") for word in told.split()} >= ours
    assert ours <= set(Path(publishes.__file__).read_text(encoding="utf-8").replace("(", " ").replace("public.", " ").split())
