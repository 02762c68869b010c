"""Runs a supervisor with two tiny services instead of the real ones: `python installation.py FOLDER BASE_PORT up|demo`."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from deploy.local import supervisor
from deploy.local.plan import Plan
from deploy.local.process import Problem


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())


def run(service: Any) -> None:
    server = HTTPServer(("127.0.0.1", int(os.environ["FORECOURT_PORT"])), Ready)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


def migrate(service: Any) -> None:
    with psycopg.connect(os.environ["FORECOURT_WRITER_URL"]) as connection:
        connection.execute("create table if not exists starts (at timestamptz default now())")
        connection.execute("insert into starts default values")


def load(url: str, password: str) -> None:
    print("loaded", url)


class Small(supervisor.Supervisor):
    def _import(self) -> dict[str, Any]:
        return {name: SimpleNamespace(context=name) for name in ("orders", "gateway")}


if __name__ == "__main__":
    folder, base, command = sys.argv[1:]
    supervisor.run, supervisor.migrate, supervisor.load = run, migrate, load
    plan = Plan(folder=Path(folder), cache=Path(".cache").resolve(), gateway=int(base) + 80, base=int(base))
    try:
        Small(plan, demo=command == "demo").up()
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
