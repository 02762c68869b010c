"""The vault keeps its word on PostgreSQL and in memory alike: sealed, opened, merged, forgotten and rotated."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decider import Rejected
from shared.events.privacy import CACHED_KEYS, Masters, Vault, VaultUnavailable
from shared.events.vault import MemoryVault, PostgresVault
from shared.testing.servers import FreshDatabase
from shared.values.personal import is_token

MASTERS = Masters.fresh()


@pytest.fixture
async def database(fresh_database: FreshDatabase) -> str:
    """The URL of a fresh database, as the role that services have."""
    writer, _ = await fresh_database("vault")
    return writer


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "postgres"])
async def vault(request: pytest.FixtureRequest, fresh_database: FreshDatabase, clock: Clock) -> AsyncIterator[Vault]:
    if request.param == "memory":
        yield MemoryVault(MASTERS, clock)
        return
    writer, _ = await fresh_database("vault")
    async with PostgresVault(writer, MASTERS, clock) as vault:
        await vault.migrate()
        yield vault


@pytest.fixture
async def postgres(database: str, clock: Clock) -> AsyncIterator[PostgresVault]:
    async with PostgresVault(database, MASTERS, clock) as vault:
        await vault.migrate()
        yield vault


async def test_what_is_sealed_opens_and_shows_nothing(vault: Vault) -> None:
    token = await vault.seal("p1", "张三 13800138000")
    assert is_token(token)
    assert token.startswith("~p1.")
    assert await vault.open(token) == "张三 13800138000"
    assert await vault.seal("p1", "张三 13800138000") != token


async def test_nothing_stays_nothing(vault: Vault) -> None:
    assert await vault.seal("p1", "") == ""
    assert await vault.open("") == ""
    assert await vault.seal_optional("p1", None) is None
    assert await vault.seal_optional("p1", "") == ""
    assert await vault.open(None) is None
    assert await vault.open(await vault.seal_optional("p1", "x")) == "x"


async def test_many_tokens_open_in_their_order(vault: Vault) -> None:
    texts = ["张三", "李四", "", "王五"]
    tokens = [await vault.seal(f"p{n}", text) for n, text in enumerate(texts)]
    assert await vault.open_all([*tokens, None, tokens[0]]) == [*texts, None, "张三"]
    vault.drop_cached()
    assert await vault.open_all([*tokens, None, tokens[0]]) == [*texts, None, "张三"]


@pytest.mark.parametrize("token", ["张三", "~p1.", "~p1.AAAA", "~p1.!!!", "~p1." + "A" * 80, "~p2.abc", "~p1.\x00", "~p1.张三"])
async def test_what_is_no_token_of_ours_is_masked(vault: Vault, token: str) -> None:
    assert await vault.open(token) is None


async def test_a_changed_token_is_masked(vault: Vault) -> None:
    token = await vault.seal("p1", "张三")
    sealed = bytearray(base64.urlsafe_b64decode(token[4:] + "=" * (-len(token[4:]) % 4)))
    for place in range(len(sealed)):
        changed = sealed.copy()
        changed[place] ^= 1
        assert await vault.open("~p1." + base64.urlsafe_b64encode(changed).decode().rstrip("=")) is None
    assert await vault.open(token) == "张三"


async def test_the_forgotten_are_unreadable_and_take_nothing_new(vault: Vault) -> None:
    token, other = await vault.seal("p1", "张三"), await vault.seal("p2", "李四")
    await vault.forget("p1")
    assert await vault.open_all([token, other]) == [None, "李四"]
    with pytest.raises(Rejected) as rejected:
        await vault.seal("p1", "张三")
    assert rejected.value.problem == "person-forgotten"
    await vault.forget("p1")
    assert await vault.seal("p1", "") == ""


async def test_to_forget_someone_never_seen_keeps_them_out(vault: Vault) -> None:
    await vault.forget("p1")
    with pytest.raises(Rejected):
        await vault.seal("p1", "张三")


async def test_forget_follows_merges_from_any_end(vault: Vault) -> None:
    tokens = [await vault.seal(person, person) for person in ("a", "b", "c", "d")]
    await vault.link("a", "b")
    await vault.link("c", "b")
    await vault.link("c", "b")
    await vault.forget("c")
    assert await vault.open_all(tokens) == [None, None, None, "d"]
    await vault.link("a", "d")
    await vault.forget("a")
    assert await vault.open(tokens[3]) == "d"


async def test_what_the_law_keeps_outlives_forgetting(vault: Vault) -> None:
    invoice, lead = await vault.seal("p1", "张三", "retention:2056"), await vault.seal("p1", "张三")
    await vault.forget("p1")
    vault.drop_cached()
    assert await vault.open_all([invoice, lead]) == ["张三", None]
    assert await vault.open(await vault.seal("p1", "张三", "retention:2056")) == "张三"


async def test_a_service_may_ask_whether_the_log_is_kept(vault: Vault) -> None:
    assert await vault.archive_fails() is False


async def test_a_retention_ends_with_its_year(vault: Vault) -> None:
    over, running = await vault.seal("p1", "张三", "retention:2020"), await vault.seal("p1", "张三", "retention:2056")
    vault.drop_cached()
    assert await vault.open_all([over, running]) == [None, "张三"]
    assert await vault.drop_expired() == 1
    assert await vault.drop_expired() == 0
    assert await vault.open(running) == "张三"


@pytest.mark.parametrize("purpose", ["", "people", "retention:", "retention:56", "retention:99999", "person "])
async def test_a_key_has_one_of_two_purposes(vault: Vault, purpose: str) -> None:
    with pytest.raises(ValueError, match="retention"):
        await vault.seal("p1", "张三", purpose)


async def test_equal_values_of_a_kind_have_equal_indexes(vault: Vault) -> None:
    index = vault.index("phone", "+8613800138000")
    assert index == vault.index("phone", "+8613800138000")
    assert len(index) == 32
    assert len({index, vault.index("phone", "+8613800138001"), vault.index("mail", "+8613800138000")}) == 3
    assert MemoryVault(MASTERS).index("phone", "+8613800138000") == index
    assert MemoryVault(Masters.fresh()).index("phone", "+8613800138000") != index
    with pytest.raises(ValueError, match="empty"):
        vault.index("phone", "")


async def test_many_seals_at_once_make_one_key(vault: Vault) -> None:
    tokens = await asyncio.gather(*(vault.seal("p1", str(n)) for n in range(50)))
    vault.drop_cached()
    assert await vault.open_all(tokens) == [str(n) for n in range(50)]
    assert len({token[:25] for token in tokens}) == 1


async def test_keys_of_an_older_master_open_and_are_wrapped_anew(vault: Vault) -> None:
    tokens = [await vault.seal(f"p{n}", str(n)) for n in range(5)]
    old, new = MASTERS.keys[MASTERS.current], os.urandom(32)
    vault._masters = Masters.of(new, old, index=MASTERS.index)
    vault.drop_cached()
    assert await vault.open_all(tokens) == list("01234")
    assert [await vault.rewrap(3), await vault.rewrap(3), await vault.rewrap(3)] == [3, 2, 0]
    vault._masters = Masters.of(new, index=MASTERS.index)
    vault.drop_cached()
    assert await vault.open_all(tokens) == list("01234")
    vault._masters = MASTERS
    vault.drop_cached()
    assert await vault.open_all(tokens) == [None] * 5
    with pytest.raises(VaultUnavailable):
        await vault.seal("p0", "0")


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    async def round_trip() -> str | None:
        vault = MemoryVault(MASTERS)
        return await vault.open(await vault.seal("p1", text))

    assert asyncio.run(round_trip()) == text


async def test_keys_are_held_for_a_minute_at_most(database: str, postgres: PostgresVault, clock: Clock) -> None:
    token = await postgres.seal("p1", "张三")
    async with PostgresVault(database, MASTERS) as elsewhere:
        assert await elsewhere.open(token) == "张三"
        await elsewhere.forget("p1")
        assert await elsewhere.open(token) is None
    assert await postgres.open(token) == "张三"
    clock.now += 60.0
    assert await postgres.open(token) is None


async def test_who_hears_of_a_forgotten_person_drops_keys_at_once(database: str, postgres: PostgresVault) -> None:
    token = await postgres.seal("p1", "张三")
    async with PostgresVault(database, MASTERS) as elsewhere:
        await elsewhere.forget("p1")
    postgres.drop_cached()
    assert await postgres.open(token) is None


async def test_held_keys_are_bounded_and_the_oldest_go_first(clock: Clock) -> None:
    vault = MemoryVault(MASTERS, clock)
    first = await vault.seal("p", "张三")
    for n in range(CACHED_KEYS):
        vault._kids.put((str(n), "person"), uuid4())
    assert len(vault._kids.items()) == CACHED_KEYS
    assert ("p", "person") not in vault._kids
    clock.now += 60.0
    vault._kids.put(("q", "person"), uuid4())
    assert len(vault._kids.items()) == 1
    assert await vault.open(first) == "张三"


async def test_one_query_finds_all_keys_and_none_when_they_are_at_hand(postgres: PostgresVault, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = [await postgres.seal(f"p{n}", str(n)) for n in range(20)]
    asked: list[int] = []
    find = postgres._find

    async def counting(kids: Any) -> Any:
        asked.append(len(kids))
        return await find(kids)

    monkeypatch.setattr(postgres, "_find", counting)
    await postgres.open_all(tokens)
    assert asked == []
    postgres.drop_cached()
    await postgres.open_all(tokens)
    await postgres.open_all(tokens)
    assert asked == [20]


async def test_two_processes_and_a_forget_race_without_leaving_a_key(database: str, postgres: PostgresVault) -> None:
    async def seal(vault: Vault, person: str) -> None:
        with suppress(Rejected):
            await vault.seal(person, "张三")

    async with PostgresVault(database, MASTERS) as other:
        for n in range(30):
            person = f"p{n}"
            await asyncio.gather(seal(postgres, person), seal(other, person), other.forget(person), seal(postgres, person))
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from keys").fetchone() == (0,)


async def test_the_database_alone_opens_nothing(database: str, postgres: PostgresVault) -> None:
    mine, yours = await postgres.seal("p1", "张三"), await postgres.seal("p2", "李四")
    async with PostgresVault(database, Masters.fresh()) as thief:
        assert await thief.open_all([mine, yours]) == [None, None]
    with psycopg.connect(database) as connection:
        connection.execute("update keys set wrapped = (select wrapped from keys where person_id = 'p1') where person_id = 'p2'")
    postgres.drop_cached()
    assert await postgres.open_all([mine, yours]) == ["张三", None]


async def test_several_processes_migrate_at_once(database: str) -> None:
    async with AsyncExitStack() as stack:
        vaults = [await stack.enter_async_context(PostgresVault(database, MASTERS)) for _ in range(5)]
        await asyncio.gather(*(vault.migrate() for vault in vaults))
        assert await vaults[0].open(await vaults[1].seal("p1", "张三")) == "张三"


async def test_the_vault_knows_everybody_it_forgot(vault: Vault) -> None:
    await vault.seal("p1", "张三")
    await vault.link("p1", "p2")
    await vault.forget("p2")
    assert await vault.forgotten() == {"p1", "p2"}


def test_secrets_are_read_from_settings_and_never_shown() -> None:
    new, old, index = os.urandom(32), os.urandom(32), "i" * 40
    masters = Masters.parse(", ".join(base64.b64encode(key).decode() for key in (new, old)), index)
    assert masters == Masters.of(new, old, index=index.encode())
    assert masters.keys[masters.current] == new
    assert len(masters.keys) == 2
    assert repr(new) not in repr(masters)
    assert index not in repr(masters)


@pytest.mark.parametrize(
    "weak", ["", "secret", "c2hvcnQ=", base64.b64encode(b"x" * 32).decode(), base64.b64encode(bytes(range(31))).decode()]
)
def test_weak_secrets_are_refused(weak: str) -> None:
    good = base64.b64encode(os.urandom(32)).decode()
    with pytest.raises(ValueError, match="32 random bytes"):
        Masters.parse(weak, "i" * 40)
    with pytest.raises(ValueError, match="32 random bytes"):
        Masters.parse(f"{good},{weak}", "i" * 40)
    with pytest.raises(ValueError, match="32 characters"):
        Masters.parse(good, "short")
