"""The journal file: damaged lines are named, and no writer loses an entry of another."""

import os
from pathlib import Path

import optuna
import pytest
from loop_runs import FLOATS, Call, open_study, sweep
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from spectral.errors import UserError
from sweeps import export
from sweeps.ls import command as ls
from sweeps.storage import journal as journal_module
from sweeps.storage.connect import open_storage
from sweeps.storage.journal import SafeJournal
from sweeps.study.controllers import Controller

RECORD = {"op_code": 2, "worker_id": "w", "study_id": 0, "user_attr": {"x": 1}}
DAMAGED = {
    "cut": b'{"op_code":2,"worker_id"\n',
    "empty": b"\n",
    "zeros": bytes(30) + b"\n",
    "not text": b"\xff\xfe\x00\n",
    "null": b"null\n",
    "a list": b"[1]\n",
    "no operation": b'{"worker_id":"w"}\n',
    "an unknown operation": b'{"op_code":99,"worker_id":"w"}\n',
    "a list for an operation": b'{"op_code":[],"worker_id":"w"}\n',
    "a missing field": b'{"op_code":2,"worker_id":"w","study_id":0}\n',
    "nested": b"[" * 100_000 + b"\n",
}


def write_study(folder: Path) -> list[bytes]:
    """A finished study in a folder; returns the lines of its journal."""
    open_storage.cache_clear()
    sweep(folder, FLOATS, score, num_trials=3, num_slots=1, sampler="random")
    open_storage.cache_clear()
    return (folder / "study.journal").read_bytes().splitlines(keepends=True)


def score(call: Call) -> float:
    return float(call.values["x"])


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_line_is_named_with_what_to_do(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SETTLE_S", 0.0)
    path = tmp_path / "study.journal"
    SafeJournal(path, 10).append_logs([RECORD] * 4)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in (1, 3, 4):
        path.write_bytes(b"".join([*lines[: number - 1], DAMAGED[damage], *lines[number:]]))
        with pytest.raises(UserError, match=rf"^{path} cannot be read: line {number} is damaged\. Restore the file"):
            SafeJournal(path, 10).read_logs(0)


def test_every_command_names_the_damaged_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "study"
    lines = write_study(folder)
    path = folder / "study.journal"
    path.write_bytes(b"".join([*lines[:4], lines[4][:20] + b"\n", *lines[5:]]))
    with pytest.raises(UserError, match="line 5 is damaged"):
        open_study(folder, FLOATS, num_trials=3)
    assert export.main([str(folder)]) == 2
    assert f"error: {path} cannot be read: line 5 is damaged. " in capsys.readouterr().err
    ls.main([str(folder)])
    assert f"(UserError: {path}" not in (told := capsys.readouterr().err) and "line 5 is damaged" in told


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_the_lines_before_a_damaged_one_are_a_study_that_resumes(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = write_study(tmp_path)
    (tmp_path / "study.journal").write_bytes(b"".join(lines[: int(share * len(lines))]))
    monkeypatch.setattr(Controller, "runs", lambda _: False)  # the process that wrote them has ended
    ended = sweep(tmp_path, FLOATS, score, num_trials=3, num_slots=1, sampler="random")
    assert ended.states == ["COMPLETE"] * 3


def test_a_line_that_becomes_whole_in_a_moment_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine, which our lock does not reach, blanks what a killed writer left before an entry."""
    path = tmp_path / "j"
    journal = SafeJournal(path, 10)
    journal.append_logs([RECORD])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_co' + whole)
    blanked = whole + b" " * 7 + whole
    monkeypatch.setattr(journal_module.time, "sleep", lambda _: path.write_bytes(blanked))
    assert journal.read_logs(0) == [RECORD] * 2


def test_an_entry_of_another_machine_after_an_incomplete_line_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after the incomplete line was found, since the lock does not reach that machine."""
    path = tmp_path / "j"
    journal, other = SafeJournal(path, 10), {**RECORD, "user_attr": {"other": 1}}
    journal.append_logs([RECORD])
    with path.open("ab") as file:
        file.write(b'{"op_code":2,"wor')
    blank = SafeJournal._blank

    def late(self: SafeJournal, begin: int, end: int) -> None:
        with path.open("ab") as file:
            file.write(path.read_bytes().splitlines(keepends=True)[0].replace(b'"x"', b'"other"'))
        blank(self, begin, end)

    monkeypatch.setattr(SafeJournal, "_blank", late)
    journal.append_logs([RECORD])
    assert SafeJournal(path, 10).read_logs(0) == [RECORD, other, RECORD]


def test_a_part_of_an_entry_on_a_full_disk_is_blanked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    journal = SafeJournal(path, 10)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:20]))
    with pytest.raises(OSError, match="No space left on device"):
        journal.append_logs([RECORD])
    monkeypatch.undo()
    assert path.read_bytes() == b" " * 20 and journal.read_logs(0) == []
    journal.append_logs([RECORD])
    assert journal.read_logs(0) == [RECORD]


def test_an_entry_that_another_machine_writes_at_the_same_moment_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the end of the file was found and before the entry is written: the lock does not reach that machine."""
    path = tmp_path / "j"
    journal, other = SafeJournal(path, 10), {**RECORD, "user_attr": {"other": 1}}
    journal.append_logs([other])
    line, status = path.read_bytes(), os.fstat

    def found_too_early(file: int) -> os.stat_result:
        found = status(file)
        monkeypatch.undo()
        with path.open("ab") as of_other:
            of_other.write(line)
        return found

    monkeypatch.setattr(os, "fstat", found_too_early)
    journal.append_logs([RECORD])
    assert SafeJournal(path, 10).read_logs(0) == [other, other, RECORD]


def test_a_blanked_line_is_read_by_optuna_itself(tmp_path: Path) -> None:
    """And so by earlier versions, which used Optuna's reader."""
    path = tmp_path / "j"
    study = optuna.create_study(storage=JournalStorage(SafeJournal(path, 10)), study_name="s")
    study.set_user_attr("a", 1)
    path.write_bytes(path.read_bytes()[:-5])
    optuna.load_study(study_name="s", storage=JournalStorage(SafeJournal(path, 10))).set_user_attr("b", 2)
    again = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(path))))
    assert again.user_attrs == {"b": 2}
