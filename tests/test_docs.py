"""The pages are true: tables are current, links lead somewhere, names exist, and nothing tells of the machine it was written on."""

import re
import subprocess
from functools import cache
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import get_type_hints

import pytest
from prometheus_client import REGISTRY

from deploy.local.plan import Plan
from services.gateway.routes import CONTEXTS
from shared.contracts import schema
from shared.ops.settings import Settings
from shared.testing import features
from tests import context_map

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("services/*/README.md")])
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
ONE_PAGE = 80


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def files() -> list[Path]:
    """What is, or would be, committed."""
    git = which("git")
    assert git
    named = subprocess.run([git, "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    return [path for name in named.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@cache
def source() -> str:
    """All code but tests."""
    return "\n".join(text(file) for file in files() if file.suffix in (".py", ".sql") and "tests" not in file.parts)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- context map ---------------------------------------------------------------------------------------------------


def test_the_tables_of_the_context_map_are_current() -> None:
    current = text(context_map.PAGE)
    assert context_map.page(current) == current, "python -m tests.context_map writes them anew"


@pytest.mark.parametrize("context", CONTEXTS)
def test_whatever_a_contract_promises_is_published(context: str) -> None:
    promised = {f"{context}.{event}" for event in context_map.told()[context]}
    assert promised - context_map.named(context, publishing=True) == set()


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_hears_the_topics_of_the_events_it_uses(context: str) -> None:
    service = context_map.services()[context]
    wanted = {event.partition(".")[0] for event in context_map.heard()[context]}
    heard = set(service.topics)
    assert wanted <= heard
    if context != context_map.KEEPS_ALL:
        assert heard <= wanted


def test_questions_and_answers_name_every_request() -> None:
    asked = {type.split(".")[1] for type, cls in schema.published().items() if "request_id" in get_type_hints(cls)}
    section = text(context_map.PAGE).split("## Questions and answers")[1].split("\n## ")[0]
    assert {event for event in asked if f"`{event}`" not in section} == set()


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_service_has_a_page_and_it_is_one(context: str) -> None:
    lines = text(ROOT / "services" / context / "README.md").splitlines()
    assert lines[0].startswith("# ")
    assert len(lines) <= ONE_PAGE


def test_decisions_are_numbered_dated_and_one_page() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert len(DECISIONS) >= 10
    for number, page in enumerate(DECISIONS, 1):
        lines = text(page).splitlines()
        assert lines[0].startswith(f"# {number}. "), name(page)
        assert re.match(r"Date: \d{4}-\d\d-\d\d · Status: \w+", lines[2]), name(page)
        assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Options", "## Decision", "## Consequences"], name(
            page
        )
        assert len(lines) <= ONE_PAGE, name(page)
        assert f"({page.name})" in text(DOCS / "decisions" / "README.md")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    headings = re.findall(r"^#+ (.+)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        assert not re.match(r"\w+://", target), f"{target} is outside the repository"
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_paths_that_are_named_exist(page: Path) -> None:
    places = ("services/", "shared/", "deploy/", "docs/", "tests/")
    for word in re.findall(r"`([\w./-]+)`", text(page)):
        if word.startswith(places):
            assert (ROOT / word).exists() or (page.parent / word).exists(), word


def test_the_words_of_the_glossary_are_those_of_the_code() -> None:
    known = set(re.findall(r"[a-z_]+(?:-[a-z_]+)*|\w+", source()))
    listed, _, measures = text(DOCS / "glossary.md").partition("## Numbers")
    words = set(re.findall(r"`([A-Za-z_-]+)`", listed + measures.partition("## Measures")[2]))
    assert words - known == set()


# --- what the pages say of the code --------------------------------------------------------------------------------


def test_the_page_of_capabilities_is_current() -> None:
    assert features.page(features.collect()) == text(features.PAGE), "python -m shared.testing.features writes it anew"


def test_markers_count_on_a_test_on_its_class_and_on_its_file() -> None:
    written = """
pytestmark = [pytest.mark.touches("A-01")]

@pytest.mark.feature("B-02")
class TestSale:
    @pytest.mark.touches("C-03")
    async def test_one(self): ...

    def helper(self): ...

def test_two(): ...
"""
    found = [(mark.id, mark.test, mark.full) for mark in features.marks_of(written, "tests/test_sale.py")]
    assert found == [("A-01", "test_one", False), ("B-02", "test_one", True), ("C-03", "test_one", False), ("A-01", "test_two", False)]


def test_only_a_test_through_the_gateway_shows_a_whole_capability() -> None:
    assert [mark for mark in features.collect() if mark.full and not mark.path.startswith("tests/")] == []


def test_operations_names_every_setting_and_no_other() -> None:
    section = text(DOCS / "operations.md").split("## What a service is told")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `(FORECOURT_\w+)`", section, re.MULTILINE))
    assert told == {f"FORECOURT_{setting.upper()}" for setting in Settings.model_fields} | {"FORECOURT_FAILPOINT"}


def test_operations_names_every_metric() -> None:
    for module in ("shared.bus.metrics", "shared.ops.metrics"):
        import_module(module)
    ours = {family.name: family.type for family in REGISTRY.collect() if family.name.startswith("forecourt_")}
    exported = {f"{metric}_total" if kind == "counter" else metric for metric, kind in ours.items()}
    assert set(re.findall(r"^\| `(forecourt_\w+)`", text(DOCS / "operations.md"), re.MULTILINE)) == exported


def test_operations_names_every_failpoint() -> None:
    section = text(DOCS / "operations.md").split("## Failpoints")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", section)) == set(re.findall(r'failpoints\.hit\("([\w.]+)"\)', source()))


def test_the_log_lines_worth_watching_are_written() -> None:
    watched = text(DOCS / "operations.md").split("Worth watching:")[1].split("\n\n")[0]
    written = set(re.findall(r'log\.\w+\("([^"]+)"', source()))
    assert {line for line in re.findall(r"`([^`]+)`", watched) if line not in written} == set()


def test_the_commands_and_ports_of_the_readme_are_real() -> None:
    page = text(ROOT / "README.md")
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page, re.MULTILINE)) <= targets
    plan = Plan.from_environment({})
    assert (plan.gateway, plan.postgres, plan.vault, plan.redis, plan.kafka, plan.port("leads"), plan.port("reporting")) == (
        8080,
        8432,
        8433,
        8479,
        8492,
        8101,
        8108,
    )
    for port in (8080, 8432, 8433, 8479, 8492, 8493, 8101, 8108):
        assert str(port) in page


# --- nothing of this machine ---------------------------------------------------------------------------------------

MACHINE = re.compile(
    r"(?<![\w.}])/(?:wor[k]|hom[e]|User[s]|roo[t]|op[t])/[\w.-]+"
    r"|(?:pyp[i]\.org|pythonhoste[d]\.org|mave[n]\.org|npmj[s]\.|golan[g]\.org|artifactor[y]|sonatyp[e])",
    re.IGNORECASE,
)
CONTAINER = re.compile(r"/opt/kafka/")
"""Where the image of Kafka keeps its programs."""


def test_no_file_tells_of_a_machine_or_a_registry() -> None:
    told = []
    for file in files():
        content = CONTAINER.sub("", file.read_bytes().decode("utf-8", errors="ignore"))
        told += [f"{name(file)}: {found[0]}" for found in MACHINE.finditer(content)]
    assert told == []
