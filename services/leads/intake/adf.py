"""ADF/XML 1.0, the trade's format for leads: strict on what could harm, lenient where vendors are sloppy."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.entities import html5
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MOST_BYTES = 262_144
MOST_ELEMENTS = 5_000
MOST_ATTRIBUTES = 32
DEEPEST = 32
LONGEST = 4_000
"""Characters of one text that are kept."""
NAME, REFERENCE = 80, 200
"""Characters of what a car is called, and of a vendor's or its lead's name, that are kept: they become part of keys."""

_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1", "latin1": "latin-1"} | {
    "windows-1252": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
}
_DECLARATION = re.compile(r"""\A\s*<\?xml\b[^>]*?\?>""")
_ENCODING = re.compile(rb"""\A\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_FORBIDDEN = re.compile(r"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)|www\.w3\.org/\d{4}/(?:XML/)?XInclude|<(?:\w+:)?include\b", re.I)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_BARE = re.compile(r"&(?!(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)(?:(\w{2,31});)?")
_DURATION = re.compile(r"(\d{1,3})\s*(hour|day|week|month|year)", re.I)
_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}
_TRADED = {"sell", "trade-in", "trade"}


class Forbidden(Exception):
    """The document holds something no lead needs and attackers use: a DTD, an entity, an inclusion, a disguise."""


class TooLarge(Exception):
    """The document is larger, deeper or wider than any lead."""


class Malformed(Exception):
    """This is no ADF document; the reason says why."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A car the person names. `interest` as sent: buy, lease, test-drive, sell, trade-in."""

    interest: str
    condition: str
    year: str
    make: str
    model: str
    trim: str
    vin: str
    stock: str


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """One lead as sent. Texts are clear and trimmed, unknown ones empty; `warnings` name what was read leniently."""

    reference: str
    """Who numbered it and how, such as `fetch-auto/1234`; empty when nobody did."""
    requested_at: datetime | None
    vehicles: tuple[Wanted, ...]
    name: str
    phones: tuple[str, ...]
    """The preferred one first, then mobile, then any voice number; faxes and pagers are left out."""
    email: str
    country: str
    comments: str
    within_days: int | None
    vendors: tuple[str, ...]
    """What the receiving dealer is called or numbered, best first."""
    provider: str
    warnings: tuple[str, ...]

    @property
    def vehicle(self) -> Wanted | None:
        """The car wanted: the first that is not to be sold or traded in."""
        return next((one for one in self.vehicles if one.interest not in _TRADED), self.vehicles[0] if self.vehicles else None)


def parse(body: bytes) -> list[Prospect]:
    """The prospects of a document. Raises Forbidden, TooLarge or Malformed; reads no file and no address."""
    text, warnings = _text(body)
    root = _tree(text, warnings)
    found = [node for node in root.iter() if node.tag == "prospect"]
    if not found:
        raise Malformed("There is no prospect in this document.")
    return [_prospect(node, list(warnings)) for node in found]


def _text(body: bytes) -> tuple[str, list[str]]:
    """The document decoded by an allowed encoding, without its declaration."""
    if len(body) > MOST_BYTES:
        raise TooLarge(f"more than {MOST_BYTES} bytes")
    if b"\x00" in body or body[:2] in (b"\xff\xfe", b"\xfe\xff") or body.lstrip()[:4].lower() in (b"+adw", b"+/v8", b"+/v9"):
        raise Forbidden("encoding")
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _ENCODING.match(body)
    name = declared[1].decode().lower() if declared else "utf-8"
    if name not in _ENCODINGS:
        raise Forbidden("encoding")
    warnings = []
    try:
        text = body.decode(_ENCODINGS[name])
    except UnicodeDecodeError:
        text = body.decode("cp1252" if name in ("utf-8", "utf8") else _ENCODINGS[name], "replace")
        warnings.append(f"not all of it is {name}")
    if _FORBIDDEN.search(text):
        raise Forbidden("dtd, entity or inclusion")
    text = _DECLARATION.sub("", text, count=1).strip()
    start = text.find("<")
    if start < 0:
        raise Malformed("This is not XML.")
    if start > 0:
        warnings.append("text before the document")
    return text[start:], warnings


def _tree(text: str, warnings: list[str]) -> Element:
    """The document's tree; bare ampersands, HTML entities and control characters are mended once."""
    try:
        return _read(text)
    except ParseError:
        mended = _CONTROL.sub("", _BARE.sub(_mend, text))
        if mended == text:
            raise Malformed("This is not well-formed XML.") from None
    try:
        root = _read(mended)
    except ParseError:
        raise Malformed("This is not well-formed XML.") from None
    warnings.append("characters that XML does not allow were mended")
    return root


def _mend(match: re.Match[str]) -> str:
    """An HTML entity becomes its character, a bare ampersand an escaped one."""
    known = html5.get(f"{match[1]};") if match[1] else None
    if known:
        return "".join(f"&#{ord(character)};" for character in known)
    return "&amp;" + match[0][1:]


class _Limited(TreeBuilder):
    """Builds a tree of plain lower-case names and stops at documents no vendor sends."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: dict[Any, Any]) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > DEEPEST or self._elements > MOST_ELEMENTS or len(attrs) > MOST_ATTRIBUTES:
            raise TooLarge("too deep, too many elements or too many attributes")
        return super().start(_plain(tag), {_plain(name): value for name, value in attrs.items()})

    def end(self, tag: Any) -> Element:
        self._depth -= 1
        return super().end(_plain(tag))


def _plain(name: str) -> str:
    return name.rpartition("}")[2].lower()


def _read(text: str) -> Element:
    parser = DefusedXMLParser(target=_Limited(), encoding="utf-8", forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(text.encode())
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise Forbidden("dtd or entity") from error
    return root


def _prospect(node: Element, warnings: list[str]) -> Prospect:
    customer, vendor, provider = node.find("customer"), node.find("vendor"), node.find("provider")
    contact = _contact(customer)
    email = _first(contact, "email")
    timeframe = _said(customer, "timeframe/description") or _said(customer, "timeframe")
    requested_at = _moment(_said(node, "requestdate"), warnings)
    return Prospect(
        reference=_reference(node),
        requested_at=requested_at,
        vehicles=tuple(_vehicle(one) for one in node.findall("vehicle")),
        name=_name(contact),
        phones=_phones(contact),
        email=email if "@" in email else "",
        country=_said(contact, "address/country").upper(),
        comments="\n".join(
            part for part in (_said(customer, "comments"), *(_said(v, "comments") for v in node.findall("vehicle"))) if part
        ),
        within_days=_within(timeframe, _said(customer, "timeframe/latestdate"), requested_at),
        vendors=_vendors(vendor),
        provider=_said(provider, "name") or _name(_contact(provider)) or _reference(node).partition("/")[0],
        warnings=tuple(warnings),
    )


def _said(node: Element | None, path: str) -> str:
    """The text below `path`, with runs of blanks within a line made one; empty when there is none."""
    found = node.find(path) if node is not None else None
    return _clean("".join(found.itertext())) if found is not None else ""


def _clean(text: str) -> str:
    lines = (" ".join(line.split()) for line in _CONTROL.sub("", text).splitlines())
    return "\n".join(line for line in lines if line)[:LONGEST].strip()


def _line(text: str, most: int) -> str:
    """The text as one line in NFC, without what cannot be seen, cut to `most` characters."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split())[:most].strip()


def _contact(party: Element | None) -> Element | None:
    """The primary contact, else the first; sloppy vendors put its fields straight into the party."""
    if party is None:
        return None
    contacts = party.findall("contact")
    return next((one for one in contacts if one.get("primarycontact") == "1"), contacts[0] if contacts else party)


def _first(contact: Element | None, tag: str) -> str:
    """The preferred one of a field, else the first that says something."""
    if contact is None:
        return ""
    texts = [(one.get("preferredcontact") != "1", _clean("".join(one.itertext()))) for one in contact.findall(tag)]
    return next((text for _, text in sorted(texts, key=lambda pair: pair[0]) if text), "")


def _name(contact: Element | None) -> str:
    """The full name, or its parts in order."""
    if contact is None:
        return ""
    parts: dict[str, str] = {}
    for one in contact.findall("name"):
        parts.setdefault(one.get("part", "full").lower(), _clean("".join(one.itertext())))
    if parts.get("full"):
        return parts["full"]
    return " ".join(parts[part] for part in ("first", "middle", "last", "surname", "suffix") if parts.get(part))


def _phones(contact: Element | None) -> tuple[str, ...]:
    if contact is None:
        return ()
    order = {"cellphone": 0, "mobile": 0, "cell": 0, "voice": 1, "phone": 1}
    ranked = []
    for one in contact.findall("phone"):
        kind, text = one.get("type", "voice").lower(), _clean("".join(one.itertext()))
        if text and kind not in ("fax", "pager"):
            ranked.append((one.get("preferredcontact") != "1", order.get(kind, 2), text))
    return tuple(dict.fromkeys(text for _, _, text in sorted(ranked, key=lambda phone: phone[:2])))


def _vehicle(node: Element) -> Wanted:
    return Wanted(
        interest=node.get("interest", "buy").lower(),
        condition=node.get("status", "new").lower(),
        year=_said(node, "year"),
        make=_line(_said(node, "make"), NAME),
        model=_line(_said(node, "model"), NAME),
        trim=_line(_said(node, "trim"), NAME),
        vin=_said(node, "vin").upper(),
        stock=_said(node, "stock") or _said(node, "stocknumber"),
    )


def _reference(node: Element) -> str:
    for one in node.findall("id"):
        number = _clean("".join(one.itertext()))
        if number:
            return _line(f"{one.get('source', '').strip()}/{number}", REFERENCE)
    return ""


def _vendors(vendor: Element | None) -> tuple[str, ...]:
    if vendor is None:
        return ()
    ids = [f"{one.get('source', '').strip()}/{number}" for one in vendor.findall("id") if (number := _clean("".join(one.itertext())))]
    names = [_said(vendor, "vendorname"), _name(_contact(vendor))]
    return tuple(dict.fromkeys(_line(one, REFERENCE) for one in (*ids, *names) if one))


def _moment(text: str, warnings: list[str]) -> datetime | None:
    """The request's moment; without an offset it is nobody's time and left out."""
    if not text:
        warnings.append("no request date")
        return None
    padded = re.sub(r"([+-])(\d):(\d\d)$", r"\g<1>0\2:\3", text)
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        warnings.append("the request date is no ISO 8601 date")
        return None
    if moment.tzinfo is None:
        warnings.append("the request date has no offset")
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        warnings.append("the request date is out of range")
        return None


def _within(description: str, latest: str, requested_at: datetime | None) -> int | None:
    """Days until the person wants the car, from a phrase like `within 1 month` or the latest date."""
    found = _DURATION.search(description)
    if found:
        return max(1, round(int(found[1]) * _DAYS[found[2].lower()]))
    if requested_at is not None and latest:
        try:
            return max(0, (date.fromisoformat(latest[:10]) - requested_at.date()).days)
        except ValueError:
            return None
    return None
