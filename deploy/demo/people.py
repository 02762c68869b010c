"""The demo group: its legal entities, its stores and who works there."""

from typing import NamedTuple


class Entity(NamedTuple):
    """A legal entity (公司主体)."""

    name: str
    tax_number: str


class Place(NamedTuple):
    """A store; `entity` is an index of ENTITIES, `weight` how busy it is beside the others."""

    code: str
    name: str
    entity: int
    region: str
    weight: int


class Colleague(NamedTuple):
    """A member of staff; `store` is a store's code or `*` for all of them."""

    login: str
    name: str
    role: str
    store: str = "*"


ENTITIES = (
    Entity("晨曦汽车销售服务有限公司", "91110105MADEMO01X"),
    Entity("杭州云栖汽车有限公司", "91330106MADEMO02Y"),
)

STORES = (
    Place("BJ1", "北京朝阳店", 0, "华北", 4),
    Place("SH1", "上海浦东店", 0, "华东", 3),
    Place("HZ1", "杭州西湖店", 1, "华东", 3),
)

PEOPLE = (
    Colleague("owner", "沈国强", "group-owner"),
    Colleague("region", "顾海燕", "regional-manager"),
    Colleague("marketing", "方晓", "marketing"),
    Colleague("manager", "陈立", "sales-manager", "BJ1"),
    Colleague("sales", "林悦", "sales-consultant", "BJ1"),
    Colleague("sales.two", "赵一鸣", "sales-consultant", "BJ1"),
    Colleague("sales.three", "孙佳", "sales-consultant", "BJ1"),
    Colleague("stock", "马骏", "stock-clerk", "BJ1"),
    Colleague("finance", "何静", "finance", "BJ1"),
    Colleague("service", "罗勇", "service-adviser", "BJ1"),
    Colleague("service.two", "姚远", "service-adviser", "BJ1"),
    Colleague("manager.sh", "徐蔚", "sales-manager", "SH1"),
    Colleague("sales.sh", "朱明", "sales-consultant", "SH1"),
    Colleague("sales.sh.two", "胡婷", "sales-consultant", "SH1"),
    Colleague("stock.sh", "高翔", "stock-clerk", "SH1"),
    Colleague("finance.sh", "郭敏", "finance", "SH1"),
    Colleague("service.sh", "谢峰", "service-adviser", "SH1"),
    Colleague("manager.hz", "韩雪", "sales-manager", "HZ1"),
    Colleague("sales.hz", "唐磊", "sales-consultant", "HZ1"),
    Colleague("sales.hz.two", "冯洁", "sales-consultant", "HZ1"),
    Colleague("stock.hz", "董浩", "stock-clerk", "HZ1"),
    Colleague("finance.hz", "程琳", "finance", "HZ1"),
    Colleague("service.hz", "曹阳", "service-adviser", "HZ1"),
)
"""`admin` is there before: the gateway makes it."""

AUTHORITIES = (("sales-manager", 30), ("regional-manager", 100), ("group-owner", 150))
"""The discount each role may approve, in permille of the list price."""

CAPACITY = 80
"""Open leads a consultant can work on."""
DAYS = 15
"""Days with planned shifts, the first one included."""


def login_of(role: str, store: str) -> str:
    """Who has a role in a store; the first one if there are several."""
    return next(one.login for one in PEOPLE if (one.role, one.store) == (role, store))
