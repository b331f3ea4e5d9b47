"""Numbers of tasks: whom they are for can be told, and not made up."""

from pathlib import Path

import pytest

from winback.errors import WinbackError
from winback.tasks.signature import VARIABLE, is_signed_for, secret, signed, task_of, with_numbers

KEY, TASK = b"0123456789abcdef", "T260301-0123456789"


def test_a_number_holds_for_its_task_and_owner_only() -> None:
    found = task_of(signed(TASK, "erp:M1", KEY))
    assert found is not None
    task_id, signature = found
    assert task_id == TASK
    assert is_signed_for(TASK, signature, "erp:M1", KEY)
    assert not is_signed_for(TASK, signature, "erp:M2", KEY)
    assert not is_signed_for("T260301-012345678A", signature, "erp:M1", KEY)
    assert not is_signed_for(TASK, signature, "erp:M1", b"another secret....")


@pytest.mark.parametrize(
    "change", [str.lower, lambda text: f" {text} ", lambda text: text.replace("-", "－")]
)
def test_a_number_is_read_however_it_is_typed(change) -> None:
    number = signed(TASK, "erp:M1", KEY)
    assert task_of(change(number)) == (TASK, number.rpartition("-")[2])


@pytest.mark.parametrize("text", ["", TASK, f"{TASK}-SHORT", "=1+1", f"{TASK}-ABCDEFGHIJ1"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert task_of(text) is None


@pytest.mark.parametrize("found", [None, "short"])
def test_without_a_secret_no_number_is_made(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("WINBACK_WAREHOUSE_URL", "postgresql://elsewhere/warehouse")
    if found:
        monkeypatch.setenv(VARIABLE, found)
    with pytest.raises(WinbackError, match=rf"(?s){VARIABLE}.*openssl rand"):
        secret()
    assert with_numbers([]) == ()
    with pytest.raises(WinbackError, match=VARIABLE):
        with_numbers([{"task_id": TASK, "account_manager_key": "erp:M1"}])


def test_the_embedded_server_has_a_secret_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("WINBACK_WAREHOUSE_URL", raising=False)
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))
    made = secret()
    assert len(made) > 40
    assert secret() == made
    assert (tmp_path / "state" / "tasks_secret").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "other"))
    assert secret() != made
