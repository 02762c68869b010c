"""ADF leads as vendors send them, and documents no vendor sends."""

import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from services.leads.intake.adf import Forbidden, Malformed, Prospect, TooLarge, parse

PLAIN = """<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf><prospect status="new">
  <id source="portal">4711</id>
  <requestdate>2026-03-02T09:30:00+08:00</requestdate>
  <vehicle interest="trade-in" status="used"><year>2015</year><make>Chevrolet</make><model>Cruze</model></vehicle>
  <vehicle interest="buy" status="new"><year>2026</year><make>Volkswagen</make><model>Lavida</model><trim>1.5L</trim>
    <vin>lfv2a2150n3000001</vin><stock>S-1</stock><comments>white, please</comments></vehicle>
  <customer>
    <contact primarycontact="1">
      <name part="last">Zhang</name><name part="first">Wei</name>
      <email>wei@example.com</email>
      <phone type="fax">010-1</phone>
      <phone type="voice">010-62345678</phone>
      <phone type="cellphone">138 0013 8000</phone>
      <address><country>CN</country></address>
    </contact>
    <timeframe><description>Within 2 weeks</description></timeframe>
    <comments>Can I come
       on   Saturday?</comments>
  </customer>
  <vendor><id source="portal">D-9</id><vendorname>Beijing One</vendorname><contact><name>Sales desk</name></contact></vendor>
  <provider><name>Portal</name></provider>
</prospect></adf>"""


def one(text: str) -> Prospect:
    (prospect,) = parse(text.encode())
    return prospect


def adf(inside: str) -> str:
    return f"<adf><prospect>{inside}</prospect></adf>"


def test_a_prospect_is_read_whole() -> None:
    prospect = one(PLAIN)
    assert prospect.reference == "portal/4711"
    assert prospect.requested_at == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert (prospect.name, prospect.email, prospect.country) == ("Wei Zhang", "wei@example.com", "CN")
    assert prospect.phones == ("138 0013 8000", "010-62345678")
    assert prospect.comments == "Can I come\non Saturday?\nwhite, please"
    assert prospect.within_days == 14
    assert prospect.vendors == ("portal/D-9", "Beijing One", "Sales desk")
    assert prospect.provider == "Portal"
    assert prospect.warnings == ()


def test_the_car_wanted_is_not_the_one_traded_in() -> None:
    vehicle = one(PLAIN).vehicle
    assert vehicle is not None
    assert (vehicle.make, vehicle.model, vehicle.vin, vehicle.stock) == ("Volkswagen", "Lavida", "LFV2A2150N3000001", "S-1")


def test_a_preferred_number_comes_first() -> None:
    phones = '<phone type="cellphone">1</phone><phone preferredcontact="1">2</phone><phone type="pager">3</phone>'
    assert one(adf(f"<customer><contact>{phones}</contact></customer>")).phones == ("2", "1")


def test_what_names_a_car_is_one_short_clean_line() -> None:
    make = "Volks\u202ewagen\n \t  SAIC&#133;e\u0301 \x9b" + "x" * 300
    vehicle = one(adf(f"<vehicle><make>{make}</make><model> La\nvida </model></vehicle>")).vehicle
    assert vehicle is not None
    assert vehicle.make == ("Volkswagen SAIC \u00e9 " + "x" * 300)[:80]
    assert vehicle.model == "La vida"
    assert one(adf('<id source="por\u202etal">  47\n11 </id>')).reference == "portal/47 11"


def test_several_prospects_of_one_document_are_all_read() -> None:
    many = "<adf>" + "".join(f"<prospect><id>{n}</id></prospect>" for n in range(3)) + "</adf>"
    assert [prospect.reference for prospect in parse(many.encode())] == ["/0", "/1", "/2"]


def test_what_is_missing_is_empty() -> None:
    prospect = one(adf(""))
    assert (prospect.name, prospect.phones, prospect.email, prospect.vendors, prospect.vehicle) == ("", (), "", (), None)
    assert prospect.warnings == ("no request date",)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        "  \n" + PLAIN,
        "Content-Type: text/xml\n\n" + PLAIN.removeprefix('<?xml version="1.0" encoding="UTF-8"?>'),
        PLAIN.replace("<adf>", '<ADF xmlns="urn:adf">').replace("</adf>", "</ADF>"),
        PLAIN.replace("<prospect", "<Prospect").replace("</prospect", "</Prospect"),
        PLAIN.replace("Portal", "Portal & Sons"),
        PLAIN.replace("Portal", "Portal &nbsp;&eacute;"),
        PLAIN.replace("Portal", "Portal\x07"),
    ],
)
def test_sloppy_documents_are_read(text: str) -> None:
    prospect = one(text)
    assert prospect.name == "Wei Zhang"
    assert prospect.provider.startswith("Portal")


def test_fields_straight_in_the_customer_are_found() -> None:
    prospect = one(adf("<customer><name part='full'>Li Na</name><phone>1</phone></customer>"))
    assert (prospect.name, prospect.phones) == ("Li Na", ("1",))


def test_chinese_encodings_are_read() -> None:
    text = '<?xml version="1.0" encoding="GBK"?>' + adf("<customer><contact><name>张伟</name></contact></customer>")
    (prospect,) = parse(text.encode("gb18030"))
    assert prospect.name == "张伟"


def test_a_wrongly_declared_encoding_is_read_with_a_warning() -> None:
    (prospect,) = parse(adf("<customer><contact><name>José</name></contact></customer>").encode("cp1252"))
    assert prospect.name == "José"
    assert "not all of it is utf-8" in prospect.warnings


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2000-03-30T15:30:20-8:00", datetime(2000, 3, 30, 23, 30, 20, tzinfo=UTC)),
        ("2000-03-30T15:30:20Z", datetime(2000, 3, 30, 15, 30, 20, tzinfo=UTC)),
        ("2000-03-30T15:30:20", None),
        ("03/30/2000 3 pm", None),
        ("0001-01-01T00:00:00+08:00", None),
    ],
)
def test_a_date_without_an_offset_is_nobodys_time(sent: str, read: datetime | None) -> None:
    prospect = one(adf(f"<requestdate>{sent}</requestdate>"))
    assert prospect.requested_at == read
    assert bool(prospect.warnings) == (read is None)


@pytest.mark.parametrize(
    ("sent", "days"),
    [("48 hours", 2), ("within 1 month", 30), ("1 hour", 1), ("asap", None), ("", None)],
)
def test_a_time_frame_in_words_becomes_days(sent: str, days: int | None) -> None:
    assert one(adf(f"<customer><timeframe><description>{sent}</description></timeframe></customer>")).within_days == days


def test_a_latest_date_becomes_days() -> None:
    dates = "<requestdate>2026-03-02T09:30:00Z</requestdate>"
    assert one(adf(f"{dates}<customer><timeframe><latestdate>2026-03-12</latestdate></timeframe></customer>")).within_days == 10


DTD = '<?xml version="1.0"?><!DOCTYPE adf [{}]>' + adf("<comments>&x;</comments>")


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE adf><adf><prospect/></adf>',
        DTD.format('<!ENTITY x "y">').encode(),
        DTD.format('<!ENTITY x SYSTEM "file:///etc/passwd">').encode(),
        DTD.format('<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;').encode(),
        b'<!doctype adf SYSTEM "http://127.0.0.1/x.dtd"><adf/>',
        b'<adf xmlns:xi="http://www.w3.org/2001/XInclude"><prospect><xi:include href="file:///etc/passwd"/></prospect></adf>',
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("UTF-8", "UTF-16").encode(),
        PLAIN.replace("UTF-8", "UTF-7").encode(),
        b"+ADw-?xml version=+ACI-1.0+ACI- encoding=+ACI-UTF-7+ACI-?+AD4-",
        PLAIN.replace("UTF-8", "EBCDIC-CP-US").encode(),
        PLAIN.replace("UTF-8", "idna").encode(),
    ],
)
def test_dtds_entities_inclusions_and_disguises_are_forbidden(body: bytes) -> None:
    with pytest.raises(Forbidden):
        parse(body)


LAUGHS = '<!DOCTYPE adf [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10)
) + "]>" + adf("<comments>&k;</comments>")  # fmt: skip


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (LAUGHS.encode(), Forbidden),
        (b"<adf " + b" ".join(b"a%d='1'" % n for n in range(1_000_000)) + b"/>", TooLarge),
        (b"<adf " + b" ".join(b"a%d='1'" % n for n in range(20_000)) + b"/>", TooLarge),
        (b"<adf>" + b"<x>" * 20_000 + b"</x>" * 20_000 + b"</adf>", TooLarge),
        (b"<adf>" + b"<x/>" * 60_000 + b"</adf>", TooLarge),
        (b"<adf>" + b" " * 300_000 + b"</adf>", TooLarge),
        (b"<adf>&" + b"&" * 100_000 + b"</adf>", Malformed),
    ],
)
def test_bombs_are_refused_quickly_and_in_little_memory(body: bytes, refusal: type[Exception]) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(refusal):
            parse(body)
        assert time.process_time() - began < 1
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [b"", b"hello", b"<adf>", b"<adf></prospect>", b"<leads/>", b'{"lead": 1}', b"\x80\x81"])
def test_what_is_no_adf_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)
