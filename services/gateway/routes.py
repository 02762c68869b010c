"""Which context answers which first segment under /api/v1. What is not named here is nobody's."""

OWNERS: dict[str, str] = {
    segment: context
    for context, segments in {
        "gateway": ("auth", "users", "stores", "legal-entities", "shifts", "authorities", "events", "audit", "openapi.json"),
        "leads": ("leads", "intake", "opportunities", "test-drives"),
        "customers": ("customers",),
        "marketing": ("campaigns",),
        "inventory": ("trims", "vehicles", "purchase-orders", "transfers", "stock-levels", "stays"),
        "orders": ("quotes", "orders", "sales-rules", "tax-rules"),
        "finance": ("receipts", "payments", "refunds", "invoices", "ledger", "accounts", "payables", "periods"),
        "aftersales": ("appointments", "work-orders", "complaints", "service-bays", "service-cars"),
        "reporting": ("reports",),
    }.items()
    for segment in segments
}

CONTEXTS = tuple(dict.fromkeys(OWNERS.values()))


def owner(path: str) -> str | None:
    """The context a path under /api/v1 belongs to."""
    prefix, _, rest = path.partition("/api/v1/")
    return OWNERS.get(rest.split("/", 1)[0]) if not prefix else None
