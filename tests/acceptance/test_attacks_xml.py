"""Attacks on the ADF/XML intake, A75 and A76: nothing is read, fetched or expanded."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from shared.testing.platform import Person
from shared.values.ids import new_id
from tests.acceptance.databases import Databases
from tests.acceptance.operations import JSON_POSTS
from tests.acceptance.refusals import CANARY, assert_refused, unlike
from tests.acceptance.shop import Shop

LEAD = """<?xml version="1.0"?>%(before)s
<adf><prospect><requestdate>2026-03-02T10:15:00+08:00</requestdate>%(inside)s
<vehicle><make>Aurora</make><model>A5</model></vehicle>
<customer><contact><name part="full">%(name)s</name><phone>13800138999</phone></contact></customer></prospect></adf>"""

pytestmark = pytest.mark.usefixtures("untouched")


def document(before: str = "", inside: str = "", name: str = "Lin Yue") -> bytes:
    return (LEAD % {"before": before, "inside": inside, "name": name}).encode()


def sent(person: Person, content: bytes, media_type: str = "application/x-adf+xml") -> httpx2.Response:
    return person.http.post("/intake/adf", content=content, headers={"content-type": media_type, "idempotency-key": new_id()})


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file an attacker would like to read."""
    file = tmp_path_factory.mktemp("secret") / "passwd"
    file.write_text(CANARY)
    return file


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address an attacker would like to be fetched, and what was asked there."""
    asked: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                asked.append(connection.recv(1024))
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/{CANARY}", asked


FORBIDDEN = {
    "a document type": ("<!DOCTYPE adf>", "", "Lin"),
    "a document type in other case": ("<!doctype adf>", "", "Lin"),
    "an entity": (f'<!DOCTYPE adf [<!ENTITY a "{CANARY}">]>', "", "&a;"),
    "a file": ('<!DOCTYPE adf [<!ENTITY a SYSTEM "file://%(file)s">]>', "", "&a;"),
    "an address": ('<!DOCTYPE adf [<!ENTITY a SYSTEM "%(url)s">]>', "", "&a;"),
    "a parameter entity": ('<!DOCTYPE adf [<!ENTITY %% a SYSTEM "%(url)s"> %%a;]>', "", "Lin"),
    "an external subset": ('<!DOCTYPE adf SYSTEM "%(url)s">', "", "Lin"),
    "a public external subset": ('<!DOCTYPE adf PUBLIC "-//X" "%(url)s">', "", "Lin"),
    "an inclusion": ("", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://%(file)s" parse="text"/>', "Lin"),
    "an inclusion of an address": ("", '<x:include xmlns:x="http://www.w3.org/2003/XInclude" href="%(url)s"/>', "Lin"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a75_what_no_lead_needs(everybody: Person, secret: Path, listener: tuple[str, list[bytes]], name: str) -> None:
    url, asked = listener
    parts = [part % {"file": secret, "url": url} if "%(" in part else part for part in FORBIDDEN[name]]
    assert_refused(sent(everybody, document(*parts)), 422, "xml-forbidden")
    assert asked == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "utf-8-sig"])
def test_a75_in_disguise(everybody: Person, secret: Path, encoding: str) -> None:
    text = document(f'<!DOCTYPE adf [<!ENTITY a SYSTEM "file://{secret}">]>', name="&a;").decode()
    assert_refused(sent(everybody, text.encode(encoding)), 422, "xml-forbidden")


@pytest.mark.parametrize("declared", ["UTF-7", "UTF-16", "EBCDIC-CP-US", "x-user-defined", "IBM037"])
def test_a75_declared_in_disguise(everybody: Person, declared: str) -> None:
    text = document().replace(b'<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{declared}"?>'.encode())
    assert_refused(sent(everybody, text), 422, "xml-forbidden")


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return document(f'<!DOCTYPE adf [<!ENTITY l0 "lol">{entities}]>', name="&l11;")


BOMBS = {
    "a billion laughs": laughs(),
    "one entity a hundred thousand times": document(f'<!DOCTYPE adf [<!ENTITY a "{"x" * 10_000}">]>', name="&a;" * 1_000),
    "a million attributes": document(inside=f"<id {' '.join(f'a{n}="1"' for n in range(1_000_000))}/>"),
    "attributes within the limit of bytes": document(inside=f"<id {' '.join(f'a{n}="1"' for n in range(20_000))}/>"),
    "deep": document(inside="<a>" * 20_000 + "</a>" * 20_000),
    "wide": document(inside="<a/>" * 50_000),
    "long": document(name="x" * 1_000_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a76_a_bomb(everybody: Person, databases: Databases, shop: Shop, name: str) -> None:
    """Refused within a second; the service's memory does not grow by 50 MB."""
    process = shop.group.platform.process("leads")
    before, began = process.memory_info().rss, time.monotonic()
    answer = sent(everybody, BOMBS[name])
    assert unlike(answer, (413, 422), ("xml-forbidden", "body-too-large")) is None, answer.text
    assert time.monotonic() - began < 1
    assert process.memory_info().rss - before < 50 * 1024 * 1024


@pytest.mark.parametrize("content", [b"", b"not xml", b"<adf>", b"<html></html>", b"<adf></adf>", b"\xff\xfe", b"<?xml", b"PK\x03\x04"])
def test_what_is_no_adf(everybody: Person, content: bytes) -> None:
    assert unlike(sent(everybody, content), (422,), ("file-invalid", "validation", "xml-forbidden")) is None


def test_xml_goes_nowhere_else(everybody: Person) -> None:
    headers = {"content-type": "application/xml", "idempotency-key": new_id(), "if-match": "*"}
    asked = {one.name: everybody.http.post(one.path(), content=document(), headers=headers) for one in JSON_POSTS}
    assert {name: wrong for name, answer in asked.items() if (wrong := unlike(answer, (415,), ("unsupported-media-type",)))} == {}
    assert_refused(sent(everybody, document(), "application/json"), 415, "unsupported-media-type")
