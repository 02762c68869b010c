"""The operator's command line answers bad input plainly."""

from pathlib import Path

import pytest

from deploy import cli
from deploy.local.secrets import kept


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORECOURT_VAR", str(tmp_path))
    monkeypatch.setenv("BASE_PORT", "10000")  # below the ports that servers of other tests are given
    monkeypatch.setenv("PORT", "10080")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "required"),
        (["nobody", "lag"], "invalid choice"),
        (["orders", "dance"], "invalid choice"),
        (["orders", "stream"], "name"),
        (["all", "stream", "order-1"], "name one service"),
        (["all", "rebuild", "orders"], "name one service"),
        (["orders", "begin-anew", "leads"], "not a place"),
        (["orders", "discard", "x", "--because", "y"], "invalid UUID"),
        (["orders", "discard", "0192f3a4-0000-7000-8000-000000000001"], "--because"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert told in capsys.readouterr().err


def test_nothing_was_started_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["all", "lag"]) == 2
    assert "Nothing was ever started" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", [["lag"], ["verify"], ["rebuild"], ["stream", "order-1"]])
def test_a_database_that_is_away_is_said(command: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(folder / "secrets.json")
    assert cli.main(["orders", *command]) == 2
    told = capsys.readouterr().err
    assert told and "Traceback" not in told and "password" not in told.lower()
