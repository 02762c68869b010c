"""Who asks: the owner of the group, a seller of one store, a bookkeeper of another legal entity, and nobody."""

from dataclasses import dataclass, field
from typing import Any

import requests

from services.gateway.domain.roles import PERMISSIONS
from shared.testing.group import make_group
from shared.testing.platform import Person, Platform
from tests.acceptance.conftest import hired
from tests.acceptance.deal import everything
from tests.acceptance.shop import Shop

UNSHARED = ("lead_id", "opportunity_id", "quote_id", "campaign_id", "receipt_id", "complaint_id", "purchase_order_id", "test_drive_id")
"""What nobody of another legal entity ever sees: its ids in his answers are a leak."""


@dataclass
class Asker:
    """One kind of person, what he may do, and what must not be in his answers."""

    name: str
    person: Person
    permissions: frozenset[str] = frozenset()
    session: requests.Session = field(default_factory=requests.Session)
    foreign: tuple[str, ...] = ()

    def send(self, request: dict[str, Any]) -> requests.Response:
        """The request in his name; once more with a new token when the old one has run out."""
        answer = self._sent(request)
        if answer.status_code == 401 and self.person.tokens and not self._alive():
            self._refresh()
            answer = self._sent(request)
        return answer

    def _sent(self, request: dict[str, Any]) -> requests.Response:
        headers = {**request["headers"], **({"authorization": self._bearer()} if self.person.tokens else {})}
        return self.session.request(**{**request, "headers": headers}, timeout=30, allow_redirects=False)

    def _bearer(self) -> str:
        return f"Bearer {self.person.tokens['access_token']}"

    def _alive(self) -> bool:
        return self.person.http.get("/auth/me", headers={"authorization": self._bearer()}).status_code == 200

    def _refresh(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.person.tokens["refresh_token"]}
        answer = self.person.http.post("/auth/token", data=form, headers={"authorization": ""})
        assert answer.status_code == 200, answer.text
        self.person.tokens = answer.json()


def askers(platform: Platform) -> tuple[tuple[Asker, ...], dict[str, str]]:
    """The four, and the ids of one of everything in the seller's store, by the names they have in paths and bodies."""
    group = make_group(platform)
    shop = Shop(group)
    known = everything(shop)
    admin = group.people["admin"]
    entity = admin.did("/legal-entities", {"name": "Elsewhere Motors Ltd", "tax_number": "91310000MA0001XX0"})
    elsewhere = admin.did("/stores", {"code": "E01", "name": "Elsewhere", "entity_id": entity, "region": "east"})
    people = {
        "owner": (hired(group, "fuzzowner", "*", "group-owner", "administrator"), ("group-owner", "administrator")),
        "sales": (hired(group, "fuzzsales", group.values["south"], "sales-consultant"), ("sales-consultant",)),
        "finance": (hired(group, "fuzzfinance", elsewhere, "finance"), ("finance",)),
    }
    foreign = {"finance": tuple(known[name] for name in UNSHARED)}
    found = [
        Asker(name, person, frozenset().union(*(PERMISSIONS[role] for role in roles)), foreign=foreign.get(name, ()))
        for name, (person, roles) in people.items()
    ]
    return (*found, Asker("nobody", Person(platform.url))), known
