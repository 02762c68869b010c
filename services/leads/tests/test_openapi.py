"""Everything leads offers is documented, each operation under a name of its own."""

from typing import Any

from services.leads.app import service
from services.leads.tests.showroom import Settings, Tester
from shared.web.app import create_app


class Nothing:
    """What a document does not need."""

    settings = Settings()
    store = handler = reader = vault = None


def test_every_operation_has_a_name_a_summary_and_a_permission() -> None:
    runtime: Any = Nothing()
    document = create_app(service, runtime, authenticator=Tester()).openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 30
    assert all(operation["summary"] and operation["x-permission"] for operation in operations)
