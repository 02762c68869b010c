"""The DDL of view tables: created when missing, a new version beside the old; store-scoped rows are guarded by row-level security."""

from typing import Any

from shared.views.table import Table

SCOPE = "forecourt.stores"
"""The setting of a reader's connection that holds the stores it shows, `a,b` or `*`."""


def ddl(table: Table[Any], writer: str, reader: str) -> str:
    """Statements that create the table, its indexes and its policies. Role names are our own."""
    return f"{bare(table)};\n{finish(table, writer, reader)}"


def bare(table: Table[Any]) -> str:
    """Creates the columns alone, to be filled by COPY."""
    return f"create table {table.sql_name} ({', '.join(f'{column} {kind}' for column, kind in table.columns.items())})"


def finish(table: Table[Any], writer: str, reader: str) -> str:
    """Gives the columns their key, indexes, grants and policies."""
    name = table.sql_name
    made = [f"alter table {name} add primary key ({', '.join(table.key)})"]
    made += [f"create index on {name} {index if '(' in index else f'({index})'}" for index in table.indexes]
    made.append(f"grant select on {name} to {reader}")
    if table.store:
        made += [
            f"alter table {name} enable row level security",
            f"alter table {name} force row level security",
            f"create policy writes on {name} to {writer} using (true) with check (true)",
            f"create policy reads on {name} for select to {reader} using ("
            f"current_setting('{SCOPE}', true) = '*' or {table.store} = any (string_to_array(current_setting('{SCOPE}', true), ',')))",
        ]
    if table.also:
        made.append(table.also.replace("{table}", name))
    return ";\n".join(made)
