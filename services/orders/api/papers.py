"""What stands on a quote and on a contract. A signed contract is kept as it was printed, sealed, under the digest that was signed."""

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from services.orders import known
from services.orders.api import lookups
from services.orders.domain.quote import Offer, Reckoning
from shared.documents import Car, Contract, Line, Quote, Signature, digest
from shared.values.clock import local_day, local_time
from shared.values.money import Money, format_amount, vat_inside
from shared.web.call import Call
from shared.web.problems import Problem

MASKED = "***"


async def quote_paper(call: Call, row: dict[str, Any]) -> Quote:
    """The newest revision of a quote."""
    shop = await lookups.shop(call, row["store_id"])
    revision = row["revisions"][-1]
    offer, reckoning = msgspec.convert(revision["offer"], Offer), msgspec.convert(revision["reckoning"], Reckoning)
    advisers = await call.everybodys(f"select name from {known.staff.sql_name} where staff_id = %s", [row["seller_id"]])
    at, until = datetime.fromisoformat(revision["at"]), datetime.fromisoformat(revision["expires_at"])
    return {
        "number": row["number"],
        "revision": row["revision"],
        "at": local_time(at, shop.timezone),
        "valid_until": local_day(until, shop.timezone),
        "store": shop.name,
        "adviser": advisers[0]["name"] if advisers else "",
        "customer": (await buyer(call, row["customer_id"]))["name"],
        "car": await car(call, offer.trim_id, offer.vin),
        "lines": quote_lines(offer, reckoning),
        "total": reckoning.total,
        "note": finance_note(offer),
    }


def quote_lines(offer: Offer, reckoning: Reckoning) -> list[Line]:
    """Every amount of an offer; they sum to the total."""
    lines: list[Line] = [{"label": "指导价", "amount": offer.list_price}]
    lines += [{"label": "选装", "note": option.text, "amount": option.amount} for option in offer.options]
    if offer.discount.minor:
        lines.append({"label": "优惠", "amount": -offer.discount})
    if reckoning.tax:
        lines.append({"label": "车辆购置税", "note": reckoning.tax.source, "amount": reckoning.tax.due})
    lines += [{"label": BESIDE[item.kind], "note": item.text, "amount": item.amount} for item in offer.beside]
    if offer.trade_in:
        lines.append({"label": "置换", "note": offer.trade_in.text, "amount": -offer.trade_in.amount})
    return lines


BESIDE = {"accessory": "精品", "insurance": "保险", "plates": "上牌", "service": "服务"}


def finance_note(offer: Offer) -> str:
    """The finance plan in a line, as the lender gave it."""
    if offer.plan is None:
        return ""
    down, loan, instalment = (grouped(money) for money in (offer.plan.down_payment, offer.plan.loan, offer.plan.instalment))
    return f"{offer.plan.product}：首付 {down}，贷款 {loan}，{offer.plan.months} 期，每期 {instalment}"


def grouped(money: Money) -> str:
    """An amount as people read it, in the decimals of its currency: `189,800.00`."""
    whole, point, decimals = format_amount(money).partition(".")
    return f"{int(whole):,}{point}{decimals}"


async def contract_paper(call: Call, row: dict[str, Any], shop: lookups.Shop, earnest: Money, at: datetime) -> Contract:
    """The contract of an order as it stands. Raises Problem when its customer has been forgotten."""
    price = Money(row["price"], row["currency"])
    down = Money(row["down_payment"], row["currency"])
    net, vat = vat_inside(price, shop.vat_permille)
    made: Contract = {
        "number": row["number"],
        "at": at.astimezone(ZoneInfo(shop.timezone)),
        "place": shop.name,
        "seller": {"name": shop.entity_name, "identity": shop.tax_number},
        "buyer": cast(Any, await buyer(call, row["customer_id"])),
        "car": await car(call, row["trim_id"], row["vin"]),
        "price": price,
        "net": net,
        "vat": vat,
        "vat_permille": shop.vat_permille,
        "earnest": earnest,
        "prepayment": Money(0, price.currency),
        "instalments": [
            {"label": "首付", "amount": down, "due": "签约后"},
            {"label": "尾款", "amount": price - down, "due": "交车前"},
        ],
        "terms": [f"选装：{option}" for option in row["options"]],
    }
    if row["deliver_on"]:
        made["delivery"] = {"day": row["deliver_on"], "place": shop.name}
    return made


async def buyer(call: Call, customer_id: str) -> dict[str, str]:
    """Name and phone of a customer in clear, masked when the vault cannot tell."""
    row = await call.one(f"select name, phone from {known.customers.sql_name} where customer_id = %s", [customer_id])
    if row is None:
        raise Problem("erased")
    name, phone = await call.vault.open_all([row["name"], row["phone"]])
    return {"name": name or MASKED, **({"phone": phone} if phone else {})}


async def car(call: Call, trim_id: str, vin: str | None) -> Car:
    """The car as the catalogue names it."""
    trim = await lookups.trim(call, trim_id)
    named: Car = {"brand": trim["brand"], "series": trim["series"], "trim": trim["name"], "model_year": str(trim["model_year"])}
    if vin:
        named["vin"] = vin
    return named


def as_text(contract: Contract) -> str:
    """A contract as it is kept."""
    return msgspec.json.encode(contract).decode()


def from_text(text: str, sha256: str) -> Contract:
    """A kept contract. Raises Problem when it is not what was signed."""
    contract = msgspec.json.decode(text, type=Contract)
    if digest(contract) != sha256:
        raise Problem("contract-altered", "The contract is not the one that was signed.")
    return contract


def signed(contract: Contract, signer: str, at: datetime, sha256: str) -> Contract:
    """A contract with its signature on it."""
    signature: Signature = {"name": signer, "at": at.astimezone(contract["at"].tzinfo), "digest": sha256}
    return {**contract, "signature": signature}
