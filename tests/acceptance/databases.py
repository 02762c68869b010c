"""The databases of a platform as its operator reads them, for what no route shows."""

import time
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deploy.local.plan import DATABASES, SERVICES, Plan
from shared.testing.platform import Platform

_BY = "select count(*) as n from events where position(convert_to(%s, 'UTF8') in meta) > 0"


class Databases:
    """One installation's stores."""

    def __init__(self, platform: Platform) -> None:
        told = {"FORECOURT_VAR": str(platform.folder), "BASE_PORT": str(platform.base), "PORT": str(platform.base + 80)}
        self.plan = Plan.from_environment(told)
        self.secrets = platform.secrets

    def rows(self, context: str, sql: str, *params: Any) -> list[dict[str, Any]]:
        """What the database of a service answers to its writer."""
        with self.connect(context) as connection:
            cursor = connection.execute(sql.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def connect(self, context: str) -> "psycopg.Connection[dict[str, Any]]":
        """A connection as role writer."""
        assert context in DATABASES
        return psycopg.connect(self.plan.database(context, "writer", self.secrets), autocommit=True, row_factory=dict_row)

    def vault(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """What the vault answers."""
        with self.connect("vault") as connection:
            return connection.execute(sql.encode(), params).fetchall()

    def deeds(self, staff_id: str) -> int:
        """How many events of all services a person has caused himself."""
        return sum(self.rows(context, _BY, f'"actor":"{staff_id}"')[0]["n"] for context in SERVICES)

    def settled_deeds(self, staff_id: str) -> int:
        """The same, once what still followed from earlier deeds is done."""
        before = -1
        while before != (now := self.deeds(staff_id)):
            before = now
            time.sleep(1)
        return now

    def environment(self, context: str) -> dict[str, str]:
        """What a service was told at its start."""
        return self.plan.environment(context, self.secrets, demo=False)

    def hasten(self, context: str, stream: str, key: str = "", *, retold: bool = False) -> int:
        """Makes a stream's timers due now, as if their time had come; how many. `retold`: their commands say now, too."""
        told = "convert_to(jsonb_set(convert_from(data, 'UTF8')::jsonb, '{at}', to_jsonb(now()))::text, 'UTF8')" if retold else "data"
        sql = f"update timers set due_at = now(), data = {told} where stream = %s and position(%s in key) > 0 returning key"
        return len(self.rows(context, sql, stream, key))
