"""Facts and names are made anew from what was heard."""

import pytest

from services.reporting.app import service
from services.reporting.tests.heads import DAY, MARCH, S1, opened
from services.reporting.tests.test_reports import captured, received, sold
from services.reporting.views.facts import stay_facts, stores
from services.reporting.views.heard import heard_events
from services.reporting.views.standing import lead_states
from shared import operator
from shared.contracts import gateway, leads
from shared.ops.settings import Settings
from shared.testing.servers import FreshDatabase
from shared.views.history import rebuildable
from shared.views.rebuild import CannotRebuild


async def test_every_table_but_the_log_is_rebuilt_from_the_log(fresh_database: FreshDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    writer, reader = await fresh_database("reporting")
    settings = Settings.model_construct(writer_url=writer, reader_url=reader)
    async with opened(writer, reader) as heads:
        await heads.hear(MARCH, received("CAR1", 100, MARCH.date()), received("CAR2", 200, MARCH.date()))
        await heads.hear(MARCH + DAY, sold("CAR1", 100))
        await heads.hear(MARCH, gateway.StaffAssigned(staff_id="s", username="li", name="Li", roles=("finance",), store_ids=(S1,)))
        await heads.hear(MARCH, captured("l1", None), captured("l2"))
        await heads.hear(MARCH + DAY, leads.LeadContacted(lead_id="l2", seller_id="li", due_at=MARCH, within_sla=True))
        before = {table: await heads.store.scan(table) for table in service.tables}
        assert len(before[stay_facts]) == 3 and before[stores]
        assert sorted(row.reached for row in before[lead_states]) == [0, 1]
        assert await operator.rebuild_views(service, settings) == 0
        assert {table: await heads.store.scan(table) for table in service.tables} == before
        async with heads.store.pool.connection() as conn:
            await conn.execute("update stay_facts_1 set book_cost = 1 where kind = 'sold'")
        capsys.readouterr()
        assert await operator.rebuild_views(service, settings, ["stay_facts"]) == 1
        assert "1 rows were not" in capsys.readouterr().out
        assert await heads.store.scan(stay_facts) == before[stay_facts]
        with pytest.raises(CannotRebuild):
            await operator.rebuild_views(service, settings, [heard_events.name])
    assert set(rebuildable(service)) == {table.name for table in service.tables} - {"heard"}
