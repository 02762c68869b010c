"""Orders over HTTP: what a command must know is looked up here, what it may do is decided in the domain."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.orders.api import lookups, papers
from services.orders.api.placing import Changed, NewOrder, changed_terms, new_sale, new_terms
from services.orders.domain.order_messages import (
    ApproveOrder,
    CancelOrder,
    ChangeOrder,
    CheckItem,
    DeliverOrder,
    PlaceOrder,
    SignContract,
    SubmitOrder,
)
from services.orders.processes.fulfilment import AskAgain
from services.orders.views import order_book
from services.orders.views.shown import READ, manages, may_see_person
from shared.decider import replace
from shared.documents import digest, render_async
from shared.handling import Done, Number
from shared.values.ids import new_id
from shared.values.money import Money
from shared.web.body import Body, Id, Line, NonNegativeAmount
from shared.web.call import Call
from shared.web.problems import Problem
from shared.web.route import CommandRoute, needs

router = APIRouter(route_class=CommandRoute)


class Signing(Body):
    """`signer` types his name; `earnest` is the 定金 agreed."""

    signer: Line
    earnest: NonNegativeAmount


class Check(Body):
    item: Line
    passed: bool = True


class Cancelling(Body):
    """`forfeit`: the earnest money is kept."""

    reason: Line
    forfeit: bool = False


@router.post("/orders", summary="Place an order, from a quote or directly", status_code=201, openapi_extra=needs("orders.write"))
async def place(body: NewOrder, call: Call) -> Done:
    shop = await lookups.shop(call, body.store_id)
    terms = await new_terms(call, body, shop)
    order_id = new_id()
    sale = await new_sale(call, body, shop, order_id, "", lookups.rules(shop).checklist)

    def numbered(n: int) -> PlaceOrder:
        return PlaceOrder(sale=replace(sale, number=f"SO-{shop.code}-{shop.today:%Y%m%d}-{n:03}"), terms=terms, at=call.at)

    return await call.handle("order", order_id, numbered, number=Number(series=f"SO-{shop.code}", day=shop.today), store_id=shop.store_id)


@router.post("/orders/{order_id}/submit", summary="Submit an order for approval", openapi_extra=needs("orders.write"))
async def submit(order_id: Id, call: Call) -> Done:
    return await call.handle("order", order_id, SubmitOrder(by=call.staff, manager=manages(call), at=call.at))


@router.post("/orders/{order_id}/approve", summary="Approve an order", openapi_extra=needs("orders.approve"))
async def approve(order_id: Id, call: Call) -> Done:
    row = await order_book.row_of(call, order_id)
    rules = lookups.rules(await lookups.shop(call, row["store_id"]))
    command = ApproveOrder(
        by=call.staff,
        roles=tuple(sorted(call.auth.roles)),
        authorities=await lookups.authorities(call, row["trim_id"]),
        minimum_down_permille=rules.minimum_down_permille,
        source=rules.source,
        at=call.at,
    )
    return await call.handle("order", order_id, command)


@router.post(
    "/orders/{order_id}/reserve", summary="Ask again for the car of an approved order", openapi_extra=needs("orders.write", match=False)
)
async def reserve(order_id: Id, call: Call) -> Done:
    return await call.handle("fulfilment", order_id, AskAgain(at=call.at))


@router.post("/orders/{order_id}/sign", summary="Sign the contract", openapi_extra=needs("orders.sign"))
async def sign(order_id: Id, body: Signing, call: Call) -> Done:
    row = await order_book.row_of(call, order_id)
    shop = await lookups.shop(call, row["store_id"])
    contract = await papers.contract_paper(call, row, shop, body.earnest, call.at)
    if contract["buyer"]["name"] == papers.MASKED:  # the vault did not answer just then: nobody signs for a mask
        raise Problem("unavailable", headers={"Retry-After": "2"})
    command = SignContract(
        by=call.staff,
        manager=manages(call),
        vin=row["vin"] or "",
        price=contract["price"],
        signer=await call.vault.seal(row["customer_id"], body.signer),
        earnest=body.earnest,
        earnest_limit_permille=lookups.rules(shop).earnest_limit_permille,
        sha256=digest(contract),
        document=await call.vault.seal(row["customer_id"], papers.as_text(contract)),
        at=call.at,
    )
    return await call.handle("order", order_id, command)


@router.get("/orders/{order_id}/contract.pdf", summary="The contract", openapi_extra=needs(READ, produces="application/pdf"))
async def contract(order_id: Id, call: Call) -> Response:
    row = await order_book.row_of(call, order_id)
    if not may_see_person(call, row):
        raise Problem("forbidden")
    if row["document"] is None:
        shop = await lookups.shop(call, row["store_id"])
        paper = await papers.contract_paper(call, row, shop, Money(0, row["currency"]), row["changed_at"])
    else:
        text, signer = await call.vault.open_all([row["document"], row["signer"]])
        if text is None or signer is None:
            raise Problem("erased")
        paper = papers.signed(papers.from_text(text, row["sha256"]), signer, row["signed_at"], row["sha256"])
    return Response(await render_async("contract", paper), media_type="application/pdf")


@router.post("/orders/{order_id}/checklist", summary="Check an item of the hand-over", openapi_extra=needs("orders.deliver"))
async def check(order_id: Id, body: Check, call: Call) -> Done:
    return await call.handle("order", order_id, CheckItem(by=call.staff, item=body.item, passed=body.passed, at=call.at))


@router.post("/orders/{order_id}/deliver", summary="Hand the car over", openapi_extra=needs("orders.deliver"))
async def deliver(order_id: Id, call: Call) -> Done:
    row = await order_book.row_of(call, order_id)
    certificate = await lookups.certificate(call, row["stay_id"])
    return await call.handle("order", order_id, DeliverOrder(by=call.staff, certificate=certificate, at=call.at))


@router.post("/orders/{order_id}/change", summary="Change what was agreed", openapi_extra=needs("orders.write"))
async def change(order_id: Id, body: Changed, call: Call) -> Done:
    row: dict[str, Any] = await order_book.row_of(call, order_id)
    terms = await changed_terms(call, body, row)
    command = ChangeOrder(by=call.staff, manager=manages(call), terms=terms, reason=body.reason, at=call.at)
    return await call.handle("order", order_id, command)


@router.post("/orders/{order_id}/cancel", summary="Cancel an order", openapi_extra=needs("orders.write", "orders.approve"))
async def cancel(order_id: Id, body: Cancelling, call: Call) -> Done:
    if body.forfeit and not call.auth.may("orders.approve"):
        raise Problem("forbidden")
    command = CancelOrder(by=call.staff, manager=manages(call), reason=body.reason, forfeit=body.forfeit, at=call.at)
    return await call.handle("order", order_id, command)
