"""Which public events show figures or people that not everyone may see, wherever events are shown one by one."""

NEEDS: dict[str, str] = {
    "finance": "finance.read",
    "inventory.VehicleReceived": "inventory.cost",
    "inventory.CostAdded": "inventory.cost",
    "inventory.PurchaseOrdered": "inventory.cost",
    "inventory.VehicleDispatched": "inventory.cost",
    "inventory.VehicleArrived": "inventory.cost",
    "inventory.VehicleSold": "inventory.cost",
    "marketing.CampaignSpent": "reports.margin",
    "aftersales.WorkOrderClosed": "service.read",
    "gateway.StaffAssigned": "users.read",
}
"""The permission an event (or a context's events) asks for beyond those of the page or stream it is shown on."""


def needed(type: str) -> str | None:
    """The permission a public event of this type, such as `inventory.CostAdded.v1`, asks for; None: nothing more."""
    name = type.rpartition(".v")[0]
    return NEEDS.get(name) or NEEDS.get(name.partition(".")[0])
