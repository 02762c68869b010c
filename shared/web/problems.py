"""What went wrong, as problem+json: one table of slugs with their status and their text in English and Chinese."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from shared.web.reasons import reason

MEDIA_TYPE = "application/problem+json"
SHOWN_ERRORS = 20


class Kind(NamedTuple):
    """A row of the table."""

    status: int
    en: str
    zh: str


PROBLEMS: dict[str, Kind] = {
    # --- HTTP
    "bad-request": Kind(400, "The request is malformed", "请求格式错误"),
    "bad-header": Kind(400, "A header is malformed", "请求头格式错误"),
    "malformed-json": Kind(400, "The body is not valid JSON", "请求体不是有效的 JSON"),
    "duplicate-key": Kind(400, "The body names a field twice", "请求体中字段重复"),
    "too-deep": Kind(400, "The body is nested too deeply", "请求体嵌套过深"),
    "bad-cursor": Kind(400, "The cursor is not one of ours, or belongs to another list", "分页游标无效"),
    "idempotency-key-missing": Kind(400, "The Idempotency-Key header is missing", "缺少 Idempotency-Key 请求头"),
    "idempotency-key-invalid": Kind(400, "The Idempotency-Key must be 1 to 255 printable characters", "Idempotency-Key 无效"),
    "unauthenticated": Kind(401, "A valid access token is required", "需要有效的访问令牌"),
    "wrong-credentials": Kind(401, "User name or password is wrong", "用户名或密码错误"),
    "forbidden": Kind(403, "You may not do this", "无权执行此操作"),
    "password-change-required": Kind(403, "The password must be changed first", "请先修改密码"),
    "not-found": Kind(404, "Not found", "未找到"),
    "method-not-allowed": Kind(405, "This method is not allowed here", "不允许的请求方法"),
    "not-acceptable": Kind(406, "The answer is not available in the type asked for", "无法提供所请求的类型"),
    "erased": Kind(410, "This person's data has been erased", "该客户的个人信息已删除"),
    "request-timeout": Kind(408, "The body did not come in time", "请求体接收超时"),
    "version-conflict": Kind(412, "It has changed since you read it", "数据已被他人修改，请刷新"),
    "body-too-large": Kind(413, "The body is too large", "请求体过大"),
    "unsupported-media-type": Kind(415, "This media type is not supported", "不支持的内容类型"),
    "validation": Kind(422, "Some fields are not valid", "部分字段无效"),
    "unknown-field": Kind(422, "The body has a field that is not known", "请求体含有未知字段"),
    "unknown-parameter": Kind(422, "The query has a parameter that is not known", "查询含有未知参数"),
    "unknown-reference": Kind(422, "Something the body refers to does not exist", "引用的对象不存在"),
    "idempotency-key-reused": Kind(422, "The Idempotency-Key was used for another body", "Idempotency-Key 已用于其他请求"),
    "xml-forbidden": Kind(422, "The XML uses what is not allowed", "XML 含有不允许的内容"),
    "archive-limits": Kind(422, "The archive exceeds its limits", "压缩文件超出限制"),
    "file-invalid": Kind(422, "The file cannot be read", "文件无法读取"),
    "target-not-allowed": Kind(422, "This address may not be called", "不允许调用该地址"),
    "weak-password": Kind(422, "The password is too weak", "密码强度不足"),
    "version-required": Kind(428, "The If-Match header is missing", "缺少 If-Match 请求头"),
    "headers-too-large": Kind(431, "The headers are too large", "请求头过大"),
    "too-many-requests": Kind(429, "Too many requests", "请求过于频繁"),
    "internal": Kind(500, "Something went wrong here", "服务器内部错误"),
    "unavailable": Kind(503, "The service is not available for the moment", "服务暂时不可用"),
    "not-ready": Kind(503, "The service is not ready", "服务尚未就绪"),
    "not-yet-seen": Kind(409, "This service has not heard of it yet", "数据尚未同步，请稍后重试"),
    "request-in-flight": Kind(409, "The first copy of this request is still being handled", "相同请求正在处理中"),
    # --- any context
    "person-forgotten": Kind(410, "This person's data has been erased", "该客户的个人信息已删除"),
    "currency-mismatch": Kind(422, "The currency is not the one agreed", "币种与约定不符"),
    "four-eyes": Kind(403, "Another person must do this", "需由他人复核"),
    "not-yours": Kind(403, "This is somebody else's work", "非本人业务"),
    "illegal-transition": Kind(409, "This cannot be done in its present state", "当前状态不允许此操作"),
    "already-exists": Kind(409, "It already exists", "已存在"),
    "price-changed": Kind(409, "The price has changed", "价格已变更"),
    "currency-differs": Kind(422, "The currency is not the one agreed", "币种与约定不符"),
    "amount-not-positive": Kind(422, "The amount must be more than zero", "金额必须大于零"),
    "in-the-past": Kind(422, "The time lies in the past", "时间已过"),
    "in-the-future": Kind(422, "The time lies in the future", "时间尚未到"),
    # --- gateway
    "username-taken": Kind(409, "The user name is taken", "用户名已被占用"),
    "tax-number-taken": Kind(409, "The tax number is registered already", "该税号已登记"),
    "role-above-own": Kind(403, "You may not give this role", "不得授予高于本人的角色"),
    "store-not-own": Kind(403, "You may not give this store", "不得授予非本人门店"),
    "unknown-role": Kind(422, "There is no such role", "角色不存在"),
    "authority-range": Kind(422, "The authority is out of range", "授权额度超出范围"),
    "closing-before-opening": Kind(422, "A store closes after it opens", "打烊时间须晚于开门时间"),
    "shift-length": Kind(422, "A shift ends after it starts and within a day", "班次须在一日之内结束"),
    "shift-overlaps": Kind(409, "The shift overlaps another", "班次重叠"),
    "token-invalid": Kind(401, "The session has ended", "会话已失效"),
    "store-code-taken": Kind(409, "The store code is taken", "门店代码已被占用"),
    # --- leads
    "no-store": Kind(409, "The lead has no store yet", "线索尚未分配门店"),
    "not-assigned": Kind(409, "The lead is not assigned yet", "线索尚未分配"),
    "not-eligible": Kind(409, "This consultant may not take the lead", "该顾问不可接收此线索"),
    "no-last-rule": Kind(422, "The last rule must have no conditions", "最后一条规则不得有条件"),
    "unknown-stage": Kind(422, "There is no such stage", "阶段不存在"),
    "loss-requested": Kind(409, "It waits for the decision on an earlier request", "战败申请待审批"),
    "no-loss-request": Kind(409, "Nobody asked to close it as lost", "没有战败申请"),
    "bad-slot": Kind(422, "The time of the test drive is not valid", "试驾时间无效"),
    "licence-expired": Kind(409, "The driving licence runs out before the drive", "驾驶证将在试驾前到期"),
    "licence-unchecked": Kind(409, "Nobody has seen the driving licence", "驾驶证未核验"),
    "duplicate-lead": Kind(409, "This person already has an open lead", "该客户已有未结线索"),
    "lead-closed": Kind(409, "The lead is closed", "线索已关闭"),
    "seller-at-capacity": Kind(409, "The consultant has no capacity left", "销售顾问已满负荷"),
    "quality-check-missing": Kind(409, "The quality check is missing", "缺少质检"),
    "estimate-not-approved": Kind(409, "The customer has not agreed to the estimate", "客户尚未同意报价"),
    "slot-taken": Kind(409, "The time is taken", "该时段已被占用"),
    "opportunity-closed": Kind(409, "The opportunity is closed", "商机已关闭"),
    # --- customers
    "customer-exists": Kind(409, "A customer with this telephone number exists", "该电话号码已有客户"),
    "customer-merged": Kind(409, "The customer was merged into another", "客户已合并"),
    "consent-missing": Kind(409, "The customer has not consented", "客户未授权"),
    # --- inventory
    "vin-check-digit": Kind(422, "The check digit of the VIN does not fit", "车架号校验位不符"),
    "vin-unconfirmed": Kind(409, "A manager has to confirm this VIN", "车架号须经理确认"),
    "cost-invalid": Kind(422, "No part of the landed cost is below zero", "入库成本不得为负"),
    "lines-invalid": Kind(422, "A purchase order has lines with quantity and price", "采购单明细无效"),
    "threshold-invalid": Kind(422, "A threshold is zero or more", "阈值不得为负"),
    "validity-invalid": Kind(422, "The validity is not valid", "有效期无效"),
    "held-by-order": Kind(409, "The car is reserved for an order", "该车已为订单锁定"),
    "inter-company-transfer": Kind(409, "Between legal entities a car is sold, not transferred", "不同法人之间不得调拨"),
    "same-store": Kind(409, "The car is at that store already", "该车已在该门店"),
    "vehicle-in-transit": Kind(409, "The car has not arrived yet", "车辆在途"),
    "vin-in-stock": Kind(409, "The car is already in stock", "该车已在库"),
    "vin-already-reserved": Kind(409, "The car is already reserved", "该车已被预订"),
    "vehicle-not-available": Kind(409, "The car is not available", "该车不可用"),
    "certificate-missing": Kind(409, "The certificate is not in hand", "合格证未到手"),
    "already-in-transfer": Kind(409, "The car is already being transferred", "该车正在调拨"),
    # --- orders
    "above-authority": Kind(403, "The discount exceeds your authority", "折扣超出授权"),
    "bad-rule": Kind(422, "The rule is not valid", "规则无效"),
    "no-rule": Kind(409, "No rules of selling are in force", "无生效的销售规则"),
    "no-vehicle": Kind(409, "The order has no car yet", "订单尚未选车"),
    "down-payment-too-high": Kind(409, "A down payment is a part of the price", "首付不得高于车价"),
    "finance-plan-mismatch": Kind(422, "Down payment and loan do not add up to the total", "首付与贷款之和不等于总价"),
    "price-not-positive": Kind(422, "The price must be more than zero", "成交价必须大于零"),
    "trade-in-too-high": Kind(422, "The trade-in is worth more than what is bought", "置换车价值高于购车总额"),
    "unknown-item": Kind(422, "There is no such item on the checklist", "检查项不存在"),
    "unknown-kind": Kind(422, "There is no such kind", "类别不存在"),
    "quote-already-ordered": Kind(409, "The quote has become an order", "报价已转订单"),
    "reservation-ended": Kind(409, "The reservation has ended", "预订已失效"),
    "invoice-issued": Kind(409, "The invoice must be reversed first", "须先红冲发票"),
    "nothing-to-forfeit": Kind(409, "There is no earnest money to keep", "无可没收的定金"),
    "contract-altered": Kind(409, "The contract is not the one that was signed", "合同与签署版本不符"),
    "down-payment-too-low": Kind(409, "The down payment is below the minimum", "首付低于最低要求"),
    "quote-expired": Kind(409, "The quote has expired", "报价已过期"),
    "vehicle-not-secured": Kind(409, "The car is not secured yet", "车辆尚未锁定"),
    "not-invoiced": Kind(409, "The invoice is missing", "发票未开具"),
    # --- finance
    "unknown-order": Kind(409, "Finance does not know this order yet", "财务尚未收到该订单"),
    "unknown-method": Kind(422, "There is no such method of payment", "支付方式不存在"),
    "already-paid": Kind(409, "It is already paid", "已付款"),
    "already-sold": Kind(409, "The car is already sold", "该车已售"),
    "control-account": Kind(422, "This account takes no entry by hand", "控制科目不得手工记账"),
    "period-not-over": Kind(409, "The period is not over", "会计期间尚未结束"),
    "unbalanced": Kind(422, "The entry does not balance", "借贷不平"),
    "period-closed": Kind(409, "The period is closed", "会计期间已关闭"),
    "refund-beyond-paid": Kind(409, "More than was paid", "退款超出已付金额"),
    "overpaid": Kind(409, "More than is owed", "付款超出应付金额"),
    "already-invoiced": Kind(409, "It is already invoiced", "已开具发票"),
    "car-not-acquired": Kind(409, "The legal entity has not acquired the car", "该法人尚未取得车辆"),
    "earnest-too-high": Kind(409, "Earnest money may be at most a fifth of the price", "定金不得超过总价的百分之二十"),
    # --- after-sales and marketing
    "vehicle-unknown": Kind(409, "The car is not known to after-sales", "售后未登记该车"),
    "bay-taken": Kind(409, "The bay is taken", "工位已被占用"),
    "technician-taken": Kind(409, "The technician is taken", "技师已被占用"),
    "work-order-closed": Kind(409, "The work order is closed", "工单已关闭"),
    "campaign-not-approved": Kind(409, "The campaign is not approved", "活动未审批"),
    "over-budget": Kind(409, "The budget is exceeded", "超出预算"),
}
_REFUSED = Kind(409, "A business rule refuses this", "业务规则不允许")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}|[0-9]{1,6}")
_PREFERENCE = re.compile(r"\s*(zh|en|\*)[A-Za-z0-9-]*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class FieldError:
    """A field and why it was refused: a code of shared.web.reasons, or free text. The path is dotted."""

    field: str
    code: str
    context: Mapping[str, object] = MappingProxyType({})


class Problem(Exception):
    """An answer that is not the wished one. `detail` is for the person who asked and never quotes what was sent."""

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    @property
    def kind(self) -> Kind:
        """Its row; a rule without one is a refusal with 409."""
        return PROBLEMS.get(self.slug, _REFUSED)


def wants_chinese(accept_language: str) -> bool:
    """Whether `Accept-Language` prefers Chinese to English; the first named wins a tie."""
    best, chinese = 0.0, False
    for part in accept_language.split(",")[:10]:
        if (match := _PREFERENCE.fullmatch(part)) and (weight := float(match[2] or 1)) > best:
            best, chinese = weight, match[1].lower() == "zh"
    return chinese


def response(problem: Problem, *, trace_id: str, accept_language: str = "") -> Response:
    """The problem as an HTTP answer (RFC 9457). `instance` names the trace, not the address: that would echo input."""
    kind, chinese = problem.kind, wants_chinese(accept_language)
    title = kind.zh if chinese else kind.en
    body: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": title,
        "status": kind.status,
        "detail": title if chinese or not problem.detail else problem.detail,
        "instance": f"/traces/{trace_id}",
    }
    if problem.errors:
        body["errors"] = [
            {"field": shown(error.field), "reason": reason(error.code, error.context, chinese)} for error in problem.errors[:SHOWN_ERRORS]
        ]
    headers = {"Cache-Control": "no-store", "Content-Language": "zh" if chinese else "en", **problem.headers}
    return Response(msgspec.json.encode(body), kind.status, headers, MEDIA_TYPE)


def shown(field: str) -> str:
    """The path of a field; a name that could not be one of ours is not repeated."""
    return ".".join(part if _NAME.fullmatch(part) else "?" for part in field.split(".")[:8]) if field else ""


def invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """The problem for pydantic's errors."""
    found = [FieldError(".".join(str(part) for part in error["loc"]), error["type"], error.get("ctx", {})) for error in errors]
    slug = "unknown-field" if any(error.code == "extra_forbidden" for error in found) else "validation"
    return Problem(slug, errors=found)
