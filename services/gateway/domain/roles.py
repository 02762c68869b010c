"""What each role may do. The token carries these permissions; services ask for one per route."""

READ = frozenset({"leads.read", "customers.read", "inventory.read", "orders.read", "campaigns.read", "events.read", "stores.read"})

PERMISSIONS: dict[str, frozenset[str]] = {
    "sales-consultant": READ
    | {"leads.capture", "leads.work", "opportunities.work", "customers.write", "orders.write", "orders.sign", "orders.deliver"}
    | {"inventory.reserve", "service.book", "complaints.write", "reports.read"},
    "sales-manager": READ
    | {"leads.capture", "leads.work", "leads.assign", "leads.all", "opportunities.work", "customers.write", "customers.erase"}
    | {"orders.write", "orders.approve", "orders.sign", "orders.deliver", "orders.all", "inventory.reserve", "inventory.cost"}
    | {"inventory.transfer", "inventory.approve", "campaigns.approve", "service.book", "service.read", "complaints.write"}
    | {"reports.read", "reports.margin", "users.read", "shifts.write", "finance.read"},
    "stock-clerk": frozenset({"inventory.read", "inventory.cost", "inventory.receive", "inventory.transfer", "inventory.order"})
    | {"catalogue.write", "orders.deliver", "stores.read", "events.read"},
    "finance": frozenset({"finance.read", "finance.receipt", "finance.pay", "finance.approve", "finance.invoice", "finance.ledger"})
    | {"inventory.read", "inventory.cost", "orders.read", "reports.read", "reports.margin", "stores.read", "events.read", "orders.all"},
    "service-adviser": frozenset({"service.book", "service.work", "service.read", "complaints.write", "customers.read", "inventory.read"})
    | {"stores.read", "events.read"},
    "marketing": frozenset({"campaigns.read", "campaigns.write", "campaigns.spend", "leads.capture", "reports.read", "stores.read"})
    | {"events.read"},
    "regional-manager": READ
    | {"leads.all", "orders.all", "orders.approve", "inventory.cost", "inventory.approve", "campaigns.approve", "reports.read"}
    | {"reports.margin", "finance.read", "service.read", "users.read"},
    "group-owner": READ
    | {"leads.all", "orders.all", "orders.approve", "inventory.cost", "inventory.approve", "campaigns.approve", "reports.read"}
    | {"reports.margin", "finance.read", "service.read", "users.read", "audit.read"},
    "administrator": frozenset({"users.read", "users.admin", "stores.read", "stores.admin", "shifts.write", "authorities.write"})
    | {"catalogue.write", "inventory.read", "rules.write", "audit.read", "operations.read", "events.read"},
}

RANK: dict[str, int] = {"regional-manager": 2, "administrator": 3, "group-owner": 3}
"""Nobody gives a role above his own rank; a role without a row has rank 1."""


def permissions(roles: tuple[str, ...]) -> frozenset[str]:
    """All that these roles together may do."""
    return frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in roles))


def rank(roles: tuple[str, ...]) -> int:
    """The highest rank among these roles; 0 for none."""
    return max((RANK.get(role, 1) for role in roles), default=0)
