"""What operators do to the running platform, on whatever the tests before this one have left in it."""

from importlib import import_module

from deploy.local.plan import SERVICES
from shared import operator
from shared.ops.settings import Settings
from tests.acceptance.databases import Databases


async def test_every_view_rebuilt_from_its_history_is_the_live_one(databases: Databases) -> None:
    wrong = {}
    for context in SERVICES:
        told = {name.removeprefix("FORECOURT_").lower(): value for name, value in databases.environment(context).items()}
        settings = Settings.model_construct(writer_url=told["writer_url"], reader_url=told["reader_url"])
        wrong[context] = await operator.rebuild_views(import_module(f"services.{context}.app").service, settings)
    assert set(wrong.values()) == {0}, wrong
