"""`python -m deploy.cli <service|all> <command> …`: what an operator asks of the services of this machine, running or not."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from deploy.local.plan import SERVICES, Plan
from deploy.local.process import Problem
from deploy.local.secrets import kept
from shared import operator
from shared.ops.logging import configure_logging
from shared.ops.settings import Settings

EVERYWHERE = ("lag", "timers", "parked", "retry", "rebuild", "republish", "verify")
"""Commands that make sense for all services at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command; the exit code: 0 all is well, 1 something is wrong, 2 it cannot be done."""
    parser = argparse.ArgumentParser(prog="forecourt", description="Inspects and mends the services of this machine.")
    parser.add_argument("service", choices=[*SERVICES, "all"], metavar="service", help=f"all, {', '.join(SERVICES)}")
    operator.add_commands(parser.add_subparsers(dest="command", required=True, metavar="command"))
    asked = parser.parse_args(arguments)
    if asked.service == "all" and (asked.command not in EVERYWHERE or getattr(asked, "views", None) or getattr(asked, "source", None)):
        parser.error(f"name one service for {asked.command}: what it is about is of one")
    try:
        plan = Plan.from_environment()
        secrets = plan.folder / "secrets.json"
        if not secrets.exists():
            raise Problem(
                f"Nothing was ever started in {plan.folder}: `make up` or `make demo` does, or FORECOURT_VAR names another folder."
            )
        told = {
            each: plan.environment(each, kept(secrets), demo=False) for each in (SERVICES if asked.service == "all" else [asked.service])
        }
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    return max(_carry_out(context, environment, asked) for context, environment in told.items())


def _carry_out(context: str, environment: Mapping[str, str], asked: argparse.Namespace) -> int:
    """As the service itself would, told what it is told."""
    os.environ.update(environment)
    try:
        settings = Settings()  # type: ignore[call-arg]
    finally:
        for name in environment:
            del os.environ[name]
    return asyncio.run(operator.carry_out(import_module(f"services.{context}.app").service, settings, asked))


if __name__ == "__main__":
    configure_logging("ERROR", "operator")
    sys.exit(main())
