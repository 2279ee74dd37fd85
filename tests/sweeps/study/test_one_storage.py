"""The storage of a folder's study, and that no second one of its name starts in another storage."""

import os
import re
import shlex
import signal
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from loop_runs import FLOATS, open_study
from search_runs import await_begun, check_complete, end_of, run, start

from spectral.errors import UserError
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.find import load_study, refuse_second, study_kept


@pytest.mark.slow
def test_a_killed_sweep_in_another_storage_is_not_started_a_second_time(folder: Path) -> None:
    url = f"sqlite:///{folder.parent}/s.db"
    options = ("sweep.num_trials=2", "sweep.study_name=kept")
    process = start(folder, *options, f"sweep.storage={url}")
    await_begun(folder, 2, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(load_study(str(folder)).get_trials()) == 2
    code, output = end_of(folder, *options)
    message = (
        f"sweep.storage=null has no study kept, and the one of the folder {folder} is kept in {url}: "
        f"give the command with sweep.storage={url} to resume it, or another run_dir."
    )
    assert code and message in output
    assert not (folder / "study.journal").exists()
    (folder / "hold").unlink()
    run(folder, *options, f"sweep.storage={url}")
    check_complete(folder, 2, url)


def write_note(folder: Path, url: str) -> None:
    (folder / "sweep.json").write_text(f'{{"study": "s", "storage": "{url}"}}')


def test_a_study_in_the_journal_of_the_folder_is_not_started_a_second_time(tmp_path: Path) -> None:
    open_storage.cache_clear()
    run(tmp_path / "s", "sweep.num_trials=1")
    (tmp_path / "s").rename(tmp_path / "moved")
    url = f"sqlite:///{tmp_path}/s.db"
    with pytest.raises(UserError, match="is kept in its own journal: give the command without sweep"):
        refuse_second(tmp_path / "moved", "s", url, 1)
    assert not (tmp_path / "s.db").exists()
    refuse_second(tmp_path / "moved", "s", None, 1)
    refuse_second(tmp_path / "moved", "another", url, 1)


def test_a_study_in_a_journal_that_was_killed_before_its_end_is_not_started_a_second_time(tmp_path: Path) -> None:
    """Its folder has no sweep.json yet."""
    open_storage.cache_clear()
    open_study(tmp_path / "s", FLOATS, num_trials=2).close()
    with pytest.raises(UserError, match="is kept in its own journal: give the command without sweep"):
        refuse_second(tmp_path / "s", "study", f"sqlite:///{tmp_path}/s.db", 1)
    assert not (tmp_path / "s.db").exists()
    refuse_second(tmp_path / "s", "study", None, 1)


def test_the_storage_to_give_can_be_pasted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/my studies.db"
    (tmp_path / "my studies.db").touch()
    write_note(tmp_path, url)
    with pytest.raises(UserError) as raised:
        refuse_second(tmp_path, "s", None, 1)
    pasted = re.search("give the command with (.*) to resume it", str(raised.value))
    assert pasted
    (given,) = OverridesParser.create().parse_overrides(shlex.split(pasted[1]))
    assert (given.key_or_group, given.value()) == ("sweep.storage", url)


@pytest.mark.slow
def test_the_same_storage_by_another_url_is_the_same_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    run(tmp_path / "f", "sweep.num_trials=1", "sweep.study_name=s", f"sweep.storage=sqlite:///{tmp_path}/s.db")
    refuse_second(tmp_path / "f", "s", "sqlite:///s.db", 1)
    with pytest.raises(UserError, match=r"sweep\.storage=sqlite:///another\.db has no study s"):
        refuse_second(tmp_path / "f", "s", "sqlite:///another.db", 1)


def test_a_deleted_study_may_start_again(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/gone.db", f"journal://{tmp_path}/away/study.journal", journal_url(tmp_path)):
        write_note(tmp_path, url)
        refuse_second(tmp_path, "s", None, 1)
    assert study_kept(tmp_path) is None


@pytest.mark.parametrize("note", ["{", "[]", "{}", '{"study": "s", "storage": null}'])
def test_an_unreadable_note_names_no_study(note: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(note)
    assert study_kept(tmp_path) is None
    refuse_second(tmp_path, "s", None, 1)
