"""Events as they happen, resumed where one left off."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.testing.platform import Person, Platform


@contextmanager
def listening(person: Person, last: str = "") -> Iterator[Iterator[tuple[str, str]]]:
    """Pairs of id and event name, once the stream has begun."""
    headers = {"accept": "text/event-stream", **({"last-event-id": last} if last else {})}
    with person.http.stream("GET", "/events", headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        next(lines)

        def pairs() -> Iterator[tuple[str, str]]:
            place = ""
            for line in lines:
                if line.startswith("id: "):
                    place = line[4:]
                elif line.startswith("event: "):
                    yield place, line[7:]

        yield pairs()


def entity(admin: Person, number: int) -> str:
    return admin.did("/legal-entities", {"name": f"Stream {number} Ltd", "tax_number": f"91110105STREAM{number}"})


@pytest.mark.touches("REP-13")
def test_a_stream_tells_what_happens_and_resumes_without_gap_or_repeat(platform: Platform) -> None:
    admin = platform.administrator()
    with listening(admin) as events:
        entity(admin, 1)
        place, name = next(events)
        assert name == "gateway.LegalEntityRegistered.v1"
    entity(admin, 2)
    entity(admin, 3)
    with listening(admin, place) as events:
        names = [next(events)[1] for _ in range(2)]
        entity(admin, 4)
        names.append(next(events)[1])
    assert names == ["gateway.LegalEntityRegistered.v1"] * 3


def test_a49_a_stream_needs_a_token_and_a_cursor_of_ours(platform: Platform) -> None:
    assert Person(platform.url).get("/events").status_code == 401
    answer = platform.administrator().http.get("/events", headers={"last-event-id": "x!"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-cursor")
