"""Which capability is shown by which test: read from the markers `feature` and `touches`, written to docs/features.md."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "features.md"

CONTEXTS = {
    "GTW": "Gateway and identity",
    "LEA": "Leads",
    "CUS": "Customers",
    "INV": "Inventory",
    "ORD": "Orders",
    "FIN": "Finance",
    "AFT": "After-sales",
    "MKT": "Marketing",
    "REP": "Reporting",
}
"""By the letters an id begins with, in the order of the page."""

NAMES = {
    "GTW-01": "One API for all services: routing, limits, problems, keys, paging, ETags, merged OpenAPI",
    "GTW-02": "Login, first password, reset by an administrator, lock-out, sessions",
    "GTW-03": "Roles, permissions and stores; data of one's own stores only",
    "LEA-01": "Leads from every channel; the same person twice is one lead with two touches",
    "LEA-02": "ADF/XML intake and file import",
    "LEA-04": "Grades H/A/B/C by rules that are data and explain themselves",
    "LEA-05": "Assignment by rule, within capacity, with its explanation; a queue for the rest",
    "LEA-06": "First and second contact by a deadline, reminders, escalation",
    "LEA-07": "Follow-ups with text, doubts, next time and plan, on the timelines",
    "LEA-10": "Convert, disqualify and re-mine a lead",
    "LEA-11": "Opportunity stages, refused moves, time spent in each",
    "LEA-16": "Test drives without double booking of car or person",
    "CUS-01": "Customer record with number, contacts, preferences, purchase stage",
    "CUS-03": "Edits with history; nobody overwrites another unseen",
    "CUS-04": "Mark invalid, archive, erase personal data everywhere",
    "CUS-07": "All about one customer in one answer, with the timeline",
    "INV-01": "Catalogue of trims, price lists with validity and source",
    "INV-02": "Cars by VIN: check digit, status, category, certificate, one stay at a time",
    "INV-03": "Stock by model, store and status; one alert per shortage",
    "INV-04": "Purchase orders and receipt of cars",
    "INV-05": "Reservation of a VIN: one winner, queue, expiry, release",
    "INV-06": "Transfer between stores; the reservation and the cost travel",
    "INV-07": "Landed cost per VIN; the cars' book cost is the ledger's stock",
    "ORD-01": "Quotes: versions, tax, trade-in, finance plan, PDF, expiry",
    "ORD-02": "Orders with gapless numbers per store and day",
    "ORD-03": "Approval: down payment, discount authority, four eyes",
    "ORD-04": "Contract as PDF, signed with its hash",
    "ORD-05": "Where an order stands, from approval to hand-over",
    "ORD-07": "Cancellation that undoes every step taken",
    "ORD-08": "Fulfilment as a process over events",
    "ORD-09": "Checklist and certificate before the keys",
    "FIN-01": "Customer receipts with numbered vouchers",
    "FIN-02": "Supplier payables, paid once, by two people",
    "FIN-03": "Double-entry ledger, trial balance, periods",
    "FIN-05": "Receivables and invoices: one per VIN, corrected only by a red one",
    "AFT-01": "Appointments within the capacity of bays and technicians",
    "AFT-02": "Work orders, checked before hand-back",
    "AFT-03": "Service history of a VIN",
    "AFT-04": "Complaints with a clock",
    "MKT-01": "Campaigns: plan, approval, spend against budget",
    "MKT-02": "Budget and spend of a campaign",
    "REP-01": "Funnel: cohort and snapshot, conversion, dwell",
    "REP-02": "Inventory turnover and ageing",
    "REP-03": "Profit per car, order, model, store, channel, month",
    "REP-12": "Any report as of a past moment",
    "REP-13": "Events for analytics consumers",
}
"""What each capability is. Whoever marks a test with another id names it here."""


@dataclass(frozen=True, order=True)
class Mark:
    """One marker on one test; `path` is relative to the repository, `full` says whether it shows the whole capability."""

    id: str
    path: str
    test: str
    full: bool


def test_files() -> list[Path]:
    """Every file of tests, in order."""
    places = ("tests", "services/*/tests", "shared/*/tests", "deploy/*/tests")
    return sorted({file for place in places for folder in ROOT.glob(place) for file in folder.rglob("test_*.py")})


def marks_of(source: str, path: str) -> Iterator[Mark]:
    """The markers of one file: on a test, on its class, or on the whole file by `pytestmark`."""
    tree = ast.parse(source)
    everywhere = [found for node in tree.body if isinstance(node, ast.Assign) and _is_pytestmark(node) for found in _ids(node.value)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            above = everywhere + _decorated(node)
            for inner in node.body:
                yield from _test(inner, above, path)
        else:
            yield from _test(node, everywhere, path)


def _test(node: ast.stmt, above: list[tuple[str, bool]], path: str) -> Iterator[Mark]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
        for id, full in dict.fromkeys(above + _decorated(node)):
            yield Mark(id, path, node.name, full)


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, bool]]:
    return [found for decorator in node.decorator_list for found in _ids(decorator)]


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _ids(node: ast.AST) -> list[tuple[str, bool]]:
    """The ids in `mark.feature("…")` and `mark.touches("…")`, with whether they are shown in full."""
    return [
        (argument.value, call.func.attr == "feature")
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("feature", "touches")
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def collect() -> list[Mark]:
    """All markers of the repository, by id. ValueError for an id without a name."""
    found = sorted(mark for file in test_files() for mark in marks_of(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()))
    if unknown := [mark for mark in found if mark.id not in NAMES]:
        raise ValueError(f"{unknown[0].path} names {unknown[0].id}, which has no name in shared/testing/features.py.")
    return found


def page(found: Iterable[Mark]) -> str:
    """The text of docs/features.md."""
    by_id: dict[str, list[Mark]] = {id: [] for id in NAMES}
    for mark in found:
        by_id[mark.id].append(mark)
    whole = sum(any(mark.full for mark in marks) for marks in by_id.values())
    part = sum(bool(marks) for marks in by_id.values()) - whole
    lines = [
        "# Capabilities and the tests that show them",
        "",
        "Generated from the markers of the tests: `python -m shared.testing.features` writes this page, `tests/test_docs.py` compares it.",
        'A test marked `feature("ID")` shows the whole capability through the gateway on real servers, `touches("ID")` a part of it.',
        "",
        f"Of {len(by_id)} capabilities {whole} are shown whole, {part} in part, {len(by_id) - whole - part} not yet.",
    ]
    for letters, context in CONTEXTS.items():
        lines += ["", f"## {context}", "", "| id | capability | shown | by |", "|---|---|---|---|"]
        lines += [_row(id, by_id[id]) for id in NAMES if id.startswith(letters)]
    return "\n".join(lines) + "\n"


def _row(id: str, marks: list[Mark]) -> str:
    shown = "whole" if any(mark.full for mark in marks) else "part" if marks else "–"
    counts: dict[str, int] = {}
    for mark in marks:
        counts[mark.path] = counts.get(mark.path, 0) + 1
    links = ", ".join(f"[{_short(path)}](../{path}){f' ×{n}' if n > 1 else ''}" for path, n in sorted(counts.items()))
    return f"| {id} | {NAMES[id]} | {shown} | {links} |"


def _short(path: str) -> str:
    """A test file as one says it: `leads test_api`."""
    place = Path(path)
    context = place.parts[1] if place.parts[0] in ("services", "shared", "deploy") else place.parent.name
    return f"{context} {place.stem}"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(collect()), encoding="utf-8")


if __name__ == "__main__":
    main()
