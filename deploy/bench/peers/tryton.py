"""Tryton under gunicorn, two processes of four threads, asked by JSON-RPC as its own client asks."""

import asyncio
import base64
import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from deploy.bench.measure import Contender, Took
from deploy.bench.peers import install
from deploy.bench.peers.run import HERE, Failed
from deploy.bench.place import Place
from deploy.local import postgres
from deploy.local.process import free_port
from deploy.local.setup import at

DATABASE = "tryton"
PASSWORD = "known-to-benchmarks-only"  # noqa: S105
DUMP = install.FOLDER / "tryton" / "database.dump"
IDS = install.FOLDER / "tryton" / "ids.json"
"""In its environment, so that another version of Tryton begins anew."""
TRIES = 50
"""A 503 says that Tryton itself has given up on a lost race: its client asks again."""


class Client:
    """One person with a connection of his own."""

    def __init__(self, port: int, ids: dict[str, Any]) -> None:
        self.ids = ids
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Content-Type": "application/json"}
        self.number = 0
        answer = self.call("common.db.login", "admin", {"password": PASSWORD}, "en")
        session = base64.b64encode(f"admin:{answer[0]}:{answer[1]}".encode()).decode()
        self.headers["Authorization"] = f"Session {session}"
        self.context = self.call("model.res.user.get_preferences", True, {})

    def call(self, method: str, *params: Any) -> Any:
        """What a remote procedure answers. Raises Failed."""
        for _ in range(TRIES):
            self.number += 1
            body = json.dumps({"id": self.number, "method": method, "params": params})
            self.connection.request("POST", f"/{DATABASE}/", body, self.headers)
            answer = self.connection.getresponse()
            raw = answer.read()
            if answer.status == 503:
                continue
            told = json.loads(raw) if answer.status == 200 else {"error": f"{answer.status} {raw[:300]!r}"}
            if isinstance(told, dict) and told.get("error"):
                raise Failed(str(told["error"])[:500])
            return told["result"] if isinstance(told, dict) and "result" in told else told
        raise Failed(f"{method}: 503 {TRIES} times")

    def sale(self) -> list[int]:
        """Quote and confirm: with the queue off, shipment and invoice are made before the answer. Its id, as Tryton wants ids."""
        ids = self.ids
        party, address = ids["customers"][(self.number * 7 + id(self)) % len(ids["customers"])]
        line = {
            "type": "line",
            "product": ids["product"],
            "quantity": 1.0,
            "unit": ids["unit"],
            "unit_price": {"__class__": "Decimal", "decimal": "27450.00"},
            "taxes": [["add", [ids["tax"]]]],
            "description": "VW Golf",
        }
        about = {name: ids[name] for name in ("company", "currency", "payment_term")}
        about |= {"party": party, "invoice_party": None, "invoice_address": address, "shipment_address": address}
        about |= {"invoice_method": "order", "shipment_method": "order", "lines": [["create", [line]]]}
        sale: list[int] = self.call("model.sale.sale.create", [about], self.context)
        self.call("model.sale.sale.quote", sale, self.context)
        self.call("model.sale.sale.confirm", sale, self.context)
        return sale

    def state(self, sale: list[int]) -> str:
        """How far a sale has come: `processing` once shipment and invoice are made."""
        (row,) = self.call("model.sale.sale.read", sale, ["state"], self.context)
        return str(row["state"])

    def list(self) -> None:
        """The first 50 customers by name."""
        fields = ["name", "code", "lang", "addresses", "full_name"]
        found = self.call("model.party.party.search_read", [], 0, 50, [["name", "ASC"]], fields, self.context)
        if len(found) != 50:
            raise Failed(f"{len(found)} rows")


@dataclass(frozen=True)
class Tryton:
    """A running Tryton."""

    port: int
    ids: dict[str, Any]

    def contender(self, many: int, what: Callable[[Client], object]) -> Contender:
        """`many` clients, each with its next request as soon as it is answered."""
        clients = [Client(self.port, self.ids) for _ in range(many)]

        async def run(seconds: float) -> Took:
            return await asyncio.to_thread(_work, clients, seconds, what)

        return run


def _work(clients: list[Client], seconds: float, what: Callable[[Client], object]) -> Took:
    latencies: list[float] = []
    errors: list[Exception] = []
    began = time.perf_counter()

    def work(client: Client) -> None:
        try:
            while (asked := time.perf_counter()) - began < seconds:
                what(client)
                latencies.append(time.perf_counter() - asked)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise Failed(repr(errors[0]))
    return Took(operations=len(latencies), seconds=time.perf_counter() - began, latencies=latencies)


@asynccontextmanager
async def running(place: Place, superuser: str, *, deferred: bool = False) -> AsyncIterator[Tryton]:
    """Tryton on the PostgreSQL of `superuser`; `deferred`: what follows from a confirmation is left in its queue."""
    python, port, folder = install.tryton(), free_port(), place.servers.folder
    await asyncio.to_thread(_fill, python, superuser, folder)
    conf = _configuration(folder / f"trytond-{port}.conf", superuser, deferred)
    process = _start(python, port, conf, folder / f"tryton-{port}.log")
    place.beside.append(process.pid)
    try:
        ids = json.loads(IDS.read_text())
        await asyncio.to_thread(_wait, port, ids)
        await asyncio.to_thread(_check, port, ids, "confirmed" if deferred else "processing")
        yield Tryton(port, ids)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
        place.beside.remove(process.pid)


def _start(python: Path, port: int, conf: Path, log: Path) -> "subprocess.Popen[bytes]":
    """By its module: a script names the folder it was installed in, which may have moved."""
    options = f"-w 2 --threads 4 -b 127.0.0.1:{port} --keep-alive 60 --log-level warning"
    command = [str(python), "-m", "gunicorn", *options.split(), "trytond.application:app"]
    environment = {**os.environ, "TRYTOND_CONFIG": str(conf), "TRYTOND_DATABASE_NAMES": DATABASE}
    with log.open("wb") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out)


def _wait(port: int, ids: dict[str, Any]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            Client(port, ids)
            return
        except (OSError, http.client.HTTPException, Failed) as error:
            if time.monotonic() > until:
                raise Failed(f"Tryton does not answer: {error!r}") from error
            time.sleep(0.3)


def _check(port: int, ids: dict[str, Any], wanted: str) -> None:
    """A sale must come exactly as far as its mode says."""
    client = Client(port, ids)
    if (state := client.state(client.sale())) != wanted:
        raise Failed(f"a sale is {state} instead of {wanted}")


def _fill(python: Path, superuser: str, folder: Path) -> None:
    """The database: made once, which takes minutes, then restored from a dump."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            return
        connection.execute(f"create database {DATABASE}")
    address = at(superuser, DATABASE)
    if DUMP.exists() and IDS.exists():
        _tool("pg_restore", "--dbname", address, "--no-owner", DUMP)
        _tool("vacuumdb", "--quiet", "--analyze", address)
        return
    secret = folder / "tryton.password"
    secret.write_text(PASSWORD + "\n")
    conf = _configuration(folder / "trytond.conf", superuser, deferred=False)
    command = [str(python), str(HERE / "tryton_setup.py"), str(conf), DATABASE, str(IDS)]
    made = subprocess.run(command, env={**os.environ, "TRYTONPASSFILE": str(secret)}, capture_output=True, text=True)
    if made.returncode:
        raise Failed(made.stderr[-600:])
    _tool("vacuumdb", "--quiet", "--analyze", address)
    _tool("pg_dump", "--format=custom", "--file", DUMP, address)


def _tool(name: str, *arguments: str | Path) -> None:
    done = subprocess.run([str(postgres.programs() / name), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{name}: {done.stderr[-600:]}")


def _configuration(path: Path, superuser: str, deferred: bool) -> Path:
    place = urlsplit(superuser)
    path.write_text(
        f"[database]\nuri = postgresql://{place.netloc}/\npath = {path.parent}/tryton-files\n"
        "[session]\ntimeout = 86400\nmax_age = 86400\n[password]\nlength = 4\n" + ("[queue]\nworker = True\n" if deferred else "")
    )
    return path
