import fcntl
import json
import threading
from pathlib import Path

import pandas as pd
import pytest
from left_parts import leave_part

from spectral.errors import UserError
from spectral.runs import folder as folder_module
from spectral.runs.folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "a run")
    folder.path.mkdir()
    return folder


def test_the_same_config_resumes_and_another_is_refused_with_the_key_that_differs(folder: RunFolder) -> None:
    folder.claim({"seed": 1, "model": {"name": "reference", "width": 8}, "device": "auto"})
    folder.claim({"seed": 1, "model": {"name": "reference", "width": 8}, "device": "cuda"})
    folder.claim({"seed": 1, "model": {"name": "reference", "width": 8}, "tracker": {"name": "none"}})
    with pytest.raises(UserError, match=r"model\.width=8, this command has model\.width=16"):
        folder.claim({"seed": 1, "model": {"name": "reference", "width": 16}, "device": "auto"})
    with pytest.raises(UserError, match=r"model\.depth=absent, this command has model\.depth=3"):
        folder.claim({"seed": 1, "model": {"name": "reference", "width": 8, "depth": 3}})


def test_metrics_are_read_back_without_a_truncated_line(folder: RunFolder) -> None:
    for epoch in (1, 2, 3):
        folder.append_metrics({"epoch": epoch, "val/macro_f1": epoch / 10})
    with folder.metrics.open("a") as file:
        file.write('{"epoch": 4, "val/mac')
    assert [row["epoch"] for row in folder.read_metrics()] == [1, 2, 3]
    folder.write_metrics(folder.read_metrics()[:2])
    assert folder.metrics.read_text().splitlines() == [
        json.dumps({"epoch": epoch, "val/macro_f1": epoch / 10}) for epoch in (1, 2)
    ]


@pytest.mark.parametrize("line", ["", "[1]", '{"epoch": "two"}', '{"val/macro_f1": 0.5}', '{"epoch": 2', "[" * 100_000])
def test_a_line_of_metrics_that_is_no_row_is_named(line: str, folder: RunFolder) -> None:
    folder.append_metrics({"epoch": 1})
    with folder.metrics.open("a") as file:
        file.write(line + "\n")
    folder.append_metrics({"epoch": 3})
    with pytest.raises(UserError, match=r"metrics\.jsonl cannot be read: line 2"):
        folder.read_metrics()
    assert [row["epoch"] for row in folder.readable_metrics()] == [1, 3]


def test_the_digest_of_the_weights_is_that_of_b2sum(folder: RunFolder) -> None:
    folder.weights.write_bytes(b"abc")
    assert folder.weights_digest() == "cf4ab791c62b8d2b2109c90275287816"
    folder.weights.unlink()
    with pytest.raises(UserError, match=r"best\.safetensors cannot be read: No such file or directory\.$"):
        folder.weights_digest()


def test_a_second_process_cannot_use_the_same_folder(folder: RunFolder) -> None:
    with folder.locked(), pytest.raises(UserError, match="in use"), RunFolder(folder.path).locked():
        pass
    with folder.locked():
        pass


def test_a_question_about_the_lock_does_not_keep_a_run_from_beginning(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `sweeps.ls` asks on a system without a list of locks."""
    monkeypatch.setattr(folder_module, "LOCK_WAIT_S", 60.0)
    with (folder.path / "run.lock").open("wb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        answered = threading.Timer(0.1, fcntl.flock, (asking, fcntl.LOCK_UN))
        answered.start()
        with folder.locked():
            answered.join()


@pytest.mark.parametrize("name", ["config.yaml", "result.json", "metrics.jsonl", "init.json"])
def test_a_folder_in_the_place_of_a_file_is_named(name: str, folder: RunFolder) -> None:
    (folder.path / name).mkdir(parents=True)
    read = {
        "config.yaml": folder.load_config,
        "result.json": folder.load_result,
        "metrics.jsonl": folder.read_metrics,
        "init.json": folder.load_initial,
    }
    with pytest.raises(UserError, match=f"{name} cannot be read"):
        read[name]()


@pytest.mark.parametrize("name", ["result.json", "plots/curves.png", "plots/misclassified/01.png"])
def test_what_a_killed_process_was_writing_is_removed(name: str, folder: RunFolder) -> None:
    part = leave_part(folder.path / name)
    folder.config.touch()
    with folder.locked():
        assert not part.exists()


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        RunFolder.existing(tmp_path)


@pytest.mark.parametrize(
    ("named", "advice"),
    [
        ("", "run=study/2, run=study/10, run=study/ensemble, or another of 5."),
        (":1", ""),
        (":2", "run=study/2."),
        (":3", "run=study/3/seed-0, run=study/3/seed-1."),
        ("/4", """'run="study/4/a,b"'."""),
    ],
)
def test_the_folder_of_a_sweep_is_answered_with_its_runs(
    named: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("2", "10", "ensemble", "3/seed-0", "3/seed-1", "4/a,b"):
        RunFolder(Path("study", name)).path.mkdir(parents=True)
        RunFolder(Path("study", name)).config.touch()
    with pytest.raises(UserError, match="is not a run folder") as error:
        RunFolder.existing(f"study{named}")
    assert str(error.value).partition(" Give a run in it: ")[2] == advice
    monkeypatch.chdir("study")
    with pytest.raises(UserError, match="""Give a run in it: 'run="2"', 'run="10"', run=ensemble, or another of 5"""):
        RunFolder.existing(".")


def test_an_empty_name_is_not_answered_with_the_conf_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf").mkdir()
    Path("conf", "config.yaml").touch()
    with pytest.raises(UserError, match=r"^run= is not a run folder: it has no config\.yaml\.$"):
        RunFolder.existing("")


@pytest.mark.parametrize("named", ["mine", "mine:0"])
def test_the_name_of_a_study_is_answered_with_its_runs(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunFolder(Path("outputs/sweeps/mine/0"))
    run.path.mkdir(parents=True)
    run.config.touch()
    with pytest.raises(UserError, match=r" Give a run in it: run=outputs/sweeps/mine/0\.$"):
        RunFolder.existing(named)


def test_predictions_without_rows_and_columns_are_none(folder: RunFolder) -> None:
    """An earlier version wrote them if nothing was scored."""
    pd.DataFrame().to_parquet(folder.predictions)
    assert folder.load_predictions().empty
    pd.DataFrame({"id": ["1"], "split": "test"}).to_parquet(folder.predictions)
    with pytest.raises(UserError, match=r"predictions\.parquet cannot be read: it has no column label"):
        folder.load_predictions()


def test_there_is_no_result_before_the_end(folder: RunFolder) -> None:
    assert folder.load_result() is None
    survey = {"class_names": ["a", "b"], "fingerprint": "f"}
    result = {"objective": "train/loss", "train/loss": 0.5, "best_epoch": 1, "confusion": {}, "score_test": True}
    folder.write_result(result | {"survey": survey})
    assert folder.load_result() == result | {"survey": survey}
