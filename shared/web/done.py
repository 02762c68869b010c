"""The answer to a command: its version to change it again, its mark to read it elsewhere."""

from starlette.responses import Response

from shared.handling import Done
from shared.web.json import encode


def answer(done: Done, status: int, location: str | None) -> Response:
    """ETag, Location (201), Forecourt-Seen, and the id with its version."""
    headers = {"ETag": etag(done.version), "Cache-Control": "no-store"}
    if done.seen:
        headers["Forecourt-Seen"] = done.seen
    if location:
        headers["Location"] = location
    return Response(encode({"id": done.id, "version": done.version}), done.status if done.repeated else status, headers, "application/json")


def etag(version: int) -> str:
    """A version as an entity tag."""
    return f'"{version}"'
