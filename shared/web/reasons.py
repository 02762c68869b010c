"""Why a field was refused, in English and Chinese. Never quotes what was sent."""

from collections.abc import Mapping

REASONS: dict[str, tuple[str, str]] = {
    "missing": ("is required", "必填"),
    "extra_forbidden": ("is not a known field", "未知字段"),
    "unknown-parameter": ("is not a known parameter", "未知参数"),
    "repeated": ("is given more than once", "重复"),
    "unknown": ("does not exist or is not yours", "不存在或不属于您"),
    "string_type": ("must be text", "必须是文本"),
    "string_too_long": ("has more than {max_length} characters", "不得超过 {max_length} 个字符"),
    "string_too_short": ("has fewer than {min_length} characters", "不得少于 {min_length} 个字符"),
    "string_pattern_mismatch": ("does not have the required form", "格式不正确"),
    "int_type": ("must be a whole number", "必须是整数"),
    "int_parsing": ("must be a whole number", "必须是整数"),
    "int_from_float": ("must be a whole number", "必须是整数"),
    "integer-range": ("is a whole number beyond the range", "整数超出范围"),
    "float_type": ("must be a number", "必须是数字"),
    "bool_type": ("must be true or false", "必须是 true 或 false"),
    "bool_parsing": ("must be true or false", "必须是 true 或 false"),
    "list_type": ("must be a list", "必须是列表"),
    "dict_type": ("must be an object", "必须是对象"),
    "model_type": ("must be an object", "必须是对象"),
    "model_attributes_type": ("must be an object", "必须是对象"),
    "too_long": ("has more than {max_length} entries", "不得超过 {max_length} 项"),
    "too_short": ("has fewer than {min_length} entries", "不得少于 {min_length} 项"),
    "greater_than": ("must be more than {gt}", "必须大于 {gt}"),
    "greater_than_equal": ("must be at least {ge}", "不得小于 {ge}"),
    "less_than": ("must be less than {lt}", "必须小于 {lt}"),
    "less_than_equal": ("must be at most {le}", "不得大于 {le}"),
    "literal_error": ("must be one of {expected}", "必须是 {expected} 之一"),
    "enum": ("must be one of {expected}", "必须是 {expected} 之一"),
    "union_tag_invalid": ("must be one of {expected_tags}", "必须是 {expected_tags} 之一"),
    "union_tag_not_found": ("is required", "必填"),
    "sort": ("must be one of {expected}", "必须是 {expected} 之一"),
    "empty": ("must not be empty", "不得为空"),
    "control-characters": ("holds control characters", "含有控制字符"),
    "direction-marks": ("holds marks that change the direction of writing", "含有改变书写方向的字符"),
    "combining-marks": ("holds too many combining marks", "组合字符过多"),
    "line-break": ("must be a single line", "必须是单行"),
    "id": ("must be a UUID in lower case", "必须是小写 UUID"),
    "vin": ("must be a VIN: 17 letters and digits without I, O and Q", "必须是 17 位车架号，不含 I、O、Q"),
    "currency": ("must be a known currency code", "币种未知"),
    "amount": ("must be a plain amount with exactly {decimals} decimals", "必须是恰好 {decimals} 位小数的金额"),
    "positive": ("must be more than zero", "必须大于零"),
    "not-negative": ("must not be negative", "不得为负"),
    "instant": (
        "must be a moment with its offset, such as 2026-11-22T09:30:00+08:00, from 2000 to 2100",
        "必须是带时区的时间，2000 至 2100 年",
    ),
    "day": ("must be a day such as 2026-11-22, from 2000 to 2100", "必须是日期，2000 至 2100 年"),
    "phone": ("must be a valid telephone number", "必须是有效的电话号码"),
    "email": ("must be an e-mail address", "必须是电子邮箱地址"),
}
_OTHER = ("is not valid", "无效")


def reason(code: str, context: Mapping[str, object], chinese: bool) -> str:
    """The text for a code. Free text (it holds a space) stands for itself."""
    if " " in code:
        return code
    text = REASONS.get(code, _OTHER)[1 if chinese else 0]
    try:
        return text.format_map(context)
    except KeyError:
        return _OTHER[1 if chinese else 0]
