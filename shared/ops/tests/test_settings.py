"""A service refuses to start on missing, default or unsafe settings, and never shows a secret."""

import pytest
from pydantic import ValidationError

from deploy.local.secrets import generated
from shared.ops.settings import Settings


@pytest.fixture
def good() -> dict[str, str]:
    made = generated()
    return {
        "port": "8105",
        "writer_url": "postgresql://orders_writer:pw@127.0.0.1:8432/orders",
        "reader_url": "postgresql://orders_reader:pw@127.0.0.1:8432/orders",
        "kafka": "127.0.0.1:8492",
        "redis_url": "redis://:pw@127.0.0.1:8479/0",
        "internal_public_key": made["internal_public_key"],
        "cursor_secret": made["cursor_secret"],
        "index_key": made["index_key"],
        "vault_master_key": made["vault_master_key"],
    }


def test_read_from_the_environment(good: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in good.items():
        monkeypatch.setenv(f"FORECOURT_{name.upper()}", value)
    monkeypatch.setenv("FORECOURT_SERVICES", '{"orders": "http://127.0.0.1:8105"}')
    settings = Settings()  # type: ignore[call-arg]
    assert (settings.port, settings.topic_prefix, settings.reader_role) == (8105, "forecourt", "orders_reader")
    assert settings.services == {"orders": "http://127.0.0.1:8105"}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("cursor_secret", ""),
        ("cursor_secret", "h4nT!"),
        ("cursor_secret", "changeme" * 8),
        ("index_key", "a" * 64),
        ("vault_master_key", "not base64, yet longer than thirty-two"),
        ("internal_public_key", "-----BEGIN PUBLIC KEY-----"),
        ("access_private_key", "nothing"),
        ("writer_url", "postgresql://postgres:pw@127.0.0.1:8432/orders"),
        ("reader_url", "postgresql://orders_reader@127.0.0.1:8432/orders"),
        ("writer_url", "postgresql://orders_writer:pw@127.0.0.1:8432"),
        ("demo_password", "h4nT!"),
        ("port", "0"),
    ],
)
def test_refused(good: dict[str, str], name: str, bad: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(good | {name: bad})
    assert not bad or bad == "0" or bad not in str(refused.value)


@pytest.mark.parametrize("name", ["writer_url", "kafka", "internal_public_key", "cursor_secret", "index_key"])
def test_missing(good: dict[str, str], name: str) -> None:
    del good[name]
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate(good)


def test_vault_needs_its_key(good: dict[str, str]) -> None:
    del good["vault_master_key"]
    with pytest.raises(ValidationError, match="VAULT_MASTER_KEY"):
        Settings.model_validate(good | {"vault_url": "postgresql://vault_writer:pw@127.0.0.1:8432/vault"})


def test_one_secret_serves_one_purpose(good: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must differ"):
        Settings.model_validate(good | {"index_key": good["cursor_secret"]})


def test_never_shown(good: dict[str, str]) -> None:
    settings = Settings.model_validate(good)
    assert good["cursor_secret"] not in f"{settings!r} {settings}"
