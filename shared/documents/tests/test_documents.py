"""Contract, quote and receipt: readable Chinese PDFs, the same bytes for the same data, and no customer can write markup."""

import asyncio
import io
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime
from multiprocessing import get_context
from typing import Any
from zoneinfo import ZoneInfo

import pypdf
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents import Contract, Quote, Receipt, digest, render, render_async
from shared.values.money import Money, vat_inside

AT = datetime(2026, 3, 2, 14, 3, tzinfo=ZoneInfo("Asia/Shanghai"))
PRICE = Money(18980000)
NET, VAT = vat_inside(PRICE, 130)


@pytest.fixture
def contract() -> Contract:
    return {
        "number": "SO-BJ01-20260302-001",
        "at": AT,
        "seller": {"name": "京华汽车销售服务有限公司", "identity": "91110105MA01ABCD2X", "representative": "王经理"},
        "buyer": {"name": "张三", "identity": "110105199001011234", "phone": "13800138000"},
        "car": {"brand": "大众", "series": "迈腾", "trim": "豪华型", "vin": "LFV3A23C8J3000123"},
        "price": PRICE,
        "net": NET,
        "vat": VAT,
        "vat_permille": 130,
        "earnest": Money(2000000),
        "prepayment": Money(500000),
        "instalments": [{"label": "首付款", "amount": Money(5694000), "due": "签约后三日内"}],
        "delivery": {"day": date(2026, 4, 15), "place": "北京东四环店"},
        "terms": ["赠送原厂脚垫一套。"],
    }


@pytest.fixture
def quote() -> Quote:
    return {
        "number": "QT-BJ01-20260302-004",
        "revision": 2,
        "at": AT,
        "valid_until": date(2026, 3, 9),
        "store": "北京东四环店",
        "adviser": "李四",
        "customer": "张三",
        "car": {"brand": "大众", "series": "迈腾", "trim": "豪华型"},
        "lines": [{"label": "指导价", "amount": Money(19980000)}, {"label": "优惠", "note": "春季补贴", "amount": Money(-1000000)}],
        "total": PRICE,
    }


@pytest.fixture
def receipt() -> Receipt:
    return {
        "number": "RV-BJ01-20260302-007",
        "at": AT,
        "entity": "京华汽车销售服务有限公司",
        "store": "北京东四环店",
        "payer": "张三",
        "kind": "定金",
        "method": "微信支付",
        "amount": Money(4000000),
        "earnest": Money(3796000),
        "cashier": "赵会计",
    }


def text_of(pdf: bytes) -> str:
    """The text of a PDF without white space."""
    return "".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def test_a_contract_names_parties_car_price_and_both_kinds_of_deposit(contract: Contract) -> None:
    text = text_of(render("contract", contract))
    for expected in (
        "汽车买卖合同",
        "京华汽车销售服务有限公司",
        "张三",
        "LFV3A23C8J3000123",
        "¥189,800.00（人民币大写：壹拾捌万玖仟捌佰元整）",
        "税率13%",
        "定金¥20,000.00（人民币大写：贰万元整）",
        "双倍返还定金",
        "订金¥5,000.00（人民币大写：伍仟元整）",
        "不适用定金罚则",
        "2026年4月15日前在北京东四环店向",
        "1.赠送原厂脚垫一套。",
    ):
        assert expected in text


def test_a_contract_without_deposits_says_so(contract: Contract) -> None:
    contract["earnest"] = contract["prepayment"] = Money(0)
    text = text_of(render("contract", contract))
    assert "本合同未约定定金。" in text
    assert "本合同未约定订金。" in text
    assert "双倍" not in text


def test_a_signature_signs_the_content_and_is_no_part_of_it(contract: Contract) -> None:
    agreed = digest(contract)
    unsigned = text_of(render("contract", contract))
    contract["signature"] = {"name": "张三", "at": AT, "digest": agreed}
    assert digest(contract) == agreed
    signed = text_of(render("contract", contract))
    assert "尚未签署" in unsigned
    assert f"待签署内容摘要SHA-256：{agreed}" in unsigned
    assert "签署人：张三2026-03-0214:03" in signed
    assert f"签署内容摘要SHA-256：{agreed}" in signed
    contract["price"] = PRICE + Money(1)
    assert digest(contract) != agreed


def test_a_quote_lists_its_lines_and_total(quote: Quote) -> None:
    text = text_of(render("quote", quote))
    for expected in ("报价单", "第2版", "2026年3月9日", "¥199,800.00", "优惠", "春季补贴", "-¥10,000.00", "合计¥189,800.00", "待定"):
        assert expected in text


def test_a_long_quote_runs_over_pages_and_repeats_its_head(quote: Quote) -> None:
    quote["lines"] = [{"label": f"附件{n}", "amount": Money(n)} for n in range(80)]
    pdf = render("quote", quote)
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) > 1
    assert all("序号" in page.extract_text() for page in pages)


def test_a_receipt_tells_earnest_money_from_prepayment(receipt: Receipt) -> None:
    pdf = render("receipt", receipt)
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
    text = text_of(pdf)
    for expected in ("收款凭证", "人民币肆万元整", "¥40,000.00", "其中定金¥37,960.00", "其余部分为预付款"):
        assert expected in text
    receipt["kind"] = "订金"
    receipt["earnest"] = Money(0)
    assert "不是定金" in text_of(render("receipt", receipt))


def test_other_currencies_have_no_chinese_capitals(receipt: Receipt) -> None:
    receipt["amount"], receipt["earnest"] = Money(123456789, "USD"), Money(0, "USD")
    text = text_of(render("receipt", receipt))
    assert "US$1,234,567.89" in text
    assert "人民币" not in text


@pytest.mark.parametrize(
    "text",
    [
        '#eval("1+1")',
        "*bold* _it_",
        "$x^2$",
        "@ref",
        "<label>",
        "#read(/etc/passwd)",
        "= title",
        "\\ #pagebreak()",
        "]",
        "//x",
        "{{1}}",
        "`raw`",
    ],
)
def test_what_people_write_is_never_markup(contract: Contract, quote: Quote, receipt: Receipt, text: str) -> None:
    contract["buyer"]["name"] = quote["customer"] = receipt["payer"] = text
    contract["terms"] = [text]
    quote["lines"] = [{"label": text, "note": text, "amount": PRICE}]
    quote["note"] = receipt["note"] = text
    for pdf in (render("contract", contract), render("quote", quote), render("receipt", receipt)):
        assert text_of(pdf).count("".join(text.split())) >= 2


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_no_text_breaks_a_document(text: str) -> None:
    render("receipt", {**_plain_receipt(), "payer": text, "note": text})


def _plain_receipt() -> dict[str, Any]:
    texts = dict.fromkeys(("number", "entity", "store", "payer", "kind", "method", "cashier"), "x")
    return {**texts, "at": AT, "amount": Money(1)}


def test_the_same_data_gives_the_same_bytes_in_every_process(contract: Contract) -> None:
    here = render("contract", contract)
    assert render("contract", dict(reversed(contract.items()))) == here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        assert elsewhere.submit(render, "contract", contract).result() == here


def test_a_document_is_dated_by_its_data(contract: Contract) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render("contract", contract)))
    assert reader.metadata is not None
    assert reader.metadata.creation_date == AT
    assert reader.metadata.title == "汽车买卖合同 SO-BJ01-20260302-001"


async def test_many_documents_at_once_each_get_their_own(receipt: Receipt) -> None:
    payers = [f"客户{n}号" for n in range(20)]
    pdfs = await asyncio.gather(*(render_async("receipt", {**receipt, "payer": payer}) for payer in payers))
    assert all(payer in text_of(pdf) for payer, pdf in zip(payers, pdfs, strict=True))


def test_incomplete_data_is_refused(receipt: Receipt) -> None:
    with pytest.raises(typst.TypstError, match="cashier"):
        render("receipt", {name: value for name, value in receipt.items() if name != "cashier"})
    with pytest.raises(ValueError, match="offset"):
        render("receipt", {**receipt, "at": AT.replace(tzinfo=None)})
    with pytest.raises(TypeError, match="set"):
        render("receipt", {**receipt, "note": {1}})
