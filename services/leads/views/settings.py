"""What administrators set: which store a vendor's feed belongs to, and the grading rules in force."""

from typing import Any

import msgspec
from fastapi import APIRouter

from services.leads.domain.grading import STANDARD, GradeRule
from services.leads.domain.rules import GradingSet
from services.leads.domain.vendor import VendorMapped, vendor_key
from shared.decider import message
from shared.events.envelope import Recorded
from shared.views.table import Fold, Table
from shared.web.body import plain
from shared.web.call import Call
from shared.web.paging import Page, Paging, page
from shared.web.route import CommandRoute, needs
from shared.web.shape import page_of, shape


@message
class VendorRow:
    vendor: str
    name: str
    store_id: str
    region: str
    version: int
    campaign_id: str | None = None


@message
class GradingRow:
    id: str
    version: int
    rules: tuple[GradeRule, ...]


def apply_vendor(row: VendorRow | None, recorded: Recorded[VendorMapped]) -> VendorRow:
    """The vendor's setting."""
    event = recorded.event
    key = vendor_key(event.vendor)
    return VendorRow(
        vendor=key,
        name=event.vendor,
        store_id=event.store_id,
        region=event.region,
        version=recorded.version,
        campaign_id=event.campaign_id,
    )


def apply_grading(row: GradingRow | None, recorded: Recorded[GradingSet]) -> GradingRow:
    """The rules in force."""
    grading = recorded.event.grading
    return GradingRow(id="grading", version=grading.version, rules=grading.rules)


vendor_list = Table("vendor_list", 1, VendorRow, key=("vendor",), store=None)
vendors = Fold(vendor_list, apply_vendor)
grading_rules = Table("grading_rules", 1, GradingRow, key=("id",), store=None)
gradings = Fold(grading_rules, apply_grading)


router = APIRouter(route_class=CommandRoute)


@router.get(
    "/intake/vendors",
    summary="List vendors and their stores",
    response_model=page_of("Vendor", VendorRow),
    openapi_extra=needs("rules.write", "leads.assign", "leads.all"),
)
async def list_vendors(call: Call, paging: Paging) -> Page:
    """Which store each vendor's feed belongs to."""
    return await page(call, vendor_list, paging, order="vendor")


@router.get(
    "/leads/grading-rules",
    summary="Read the grading rules in force",
    response_model=shape("Grading", GradingRow, without=("id",)),
    openapi_extra=needs("leads.read", "rules.write"),
)
async def read_grading_rules(call: Call) -> dict[str, Any]:
    """The rules in order; the first that matches gives the grade."""
    row = await call.one(f"select version, rules from {grading_rules.sql_name}")
    shown: dict[str, Any] = plain(row or {"version": STANDARD.version, "rules": msgspec.to_builtins(STANDARD.rules)})
    return shown
