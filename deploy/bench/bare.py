"""What one does without the kit: a FastAPI route that inserts one row, grouped; no login, no key, no check. Run by bench."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel

from deploy.bench import raw


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with raw.group_commit(os.environ["BARE_URL"]) as group:
        app.state.group = group
        yield


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.get("/readyz")
async def ready() -> Response:
    """It is up."""
    return Response(b"{}")


@app.post("/bare", status_code=201)
async def bare(request: Request) -> Response:
    """One row."""
    stream = uuid4()
    await request.app.state.group.insert((stream, 1, "Placed", await request.body(), raw.META))
    return Response(b'{"id":"%s","version":1}' % str(stream).encode(), 201, media_type="application/json")


class Amount(BaseModel):
    amount: str
    currency: str


class Trim(BaseModel):
    brand: str
    series: str
    model_year: int
    name: str
    powertrain: str
    guide_price: Amount


@app.post("/usual", status_code=201)
async def usual(trim: Trim, request: Request) -> dict[str, object]:
    """The same as FastAPI's guide has it: a model in, a dict out."""
    stream = uuid4()
    await request.app.state.group.insert((stream, 1, "Placed", trim.model_dump_json().encode(), raw.META))
    return {"id": str(stream), "version": 1}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["BARE_PORT"]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
