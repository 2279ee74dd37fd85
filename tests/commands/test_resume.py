"""A run that was stopped in any way resumes and ends with the numbers of an uninterrupted one."""

import dataclasses
import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import OVERRIDES, Outcome, Overrides, StoppedError, outcome, result, rows, run, stages, stop_after

from spectral.errors import UserError
from spectral.models.reference import ReferenceNetwork
from spectral.native.library import library
from spectral.runs.folder import RunFolder
from spectral.training.checkpoint import load_checkpoint, save_checkpoint

TWO_STAGES = stages(
    {"name": "ce", "epochs": 3, "steps": 3, "loss": "cross_entropy", "lr": "1e-2"},
    {"name": "f1", "epochs": 2, "steps": 3, "loss": "soft_f1", "lr": "1e-3", "start": "best"},
)
VARIANTS = {
    "plain": (),
    "averaged, cosine": (
        "schedule.ema_decay=0.9",
        "lr_schedule=cosine",
        "schedule.keep=last",
        "schedule.stages.1.start=last",
    ),
    "batch norm, plateau": (
        "model=fcn",
        "~model.width",
        "~model.num_blocks",
        "~model.head_width",
        "model.widths=[4,4]",
        "model.kernel_sizes=[5,3]",
        "lr_schedule=plateau",
        "lr_schedule.patience_epochs=0",
    ),
    "patience": ("schedule.patience_epochs=1",),
    "moving fractions": ("sampler=schedule", "optimizer=sgd"),
}


def variant(name: str, overrides: list[str]) -> list[str]:
    """The overrides of a variant; what it removes with ~ is not set in the first place."""
    options = VARIANTS[name]
    without = tuple(option[1:] + "=" for option in options if option.startswith("~"))
    kept = [override for override in overrides if not without or not override.startswith(without)]
    return [*kept, TWO_STAGES, *(option for option in options if not option.startswith("~"))]


@pytest.fixture(scope="module")
def two_stages(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What an uninterrupted run ends with."""
    folder = tmp_path_factory.mktemp("two-stages")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, TWO_STAGES])
    return outcome(folder)


@pytest.fixture(scope="module")
def stopped_at_4(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(StoppedError):
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, TWO_STAGES], stop_after(4))
    return folder


@pytest.fixture
def stopped(stopped_at_4: Path, tmp_path: Path) -> None:
    """The folder of the same run, stopped after its fourth epoch."""
    shutil.copytree(stopped_at_4, tmp_path / "run")


def check_stops(name: str, epochs: Iterable[int], small: Overrides, tmp_path: Path) -> None:
    run(variant(name, small(folder="whole")))
    whole = outcome(tmp_path / "whole")
    for epoch in sorted({min(epoch, len(whole[0])) for epoch in epochs}):
        overrides = variant(name, small(folder=f"stopped-{epoch}"))
        with pytest.raises(StoppedError):
            run(overrides, stop_after(epoch))
        again: list[int] = []
        run(overrides, lambda number, _row, again=again: again.append(number))  # type: ignore[misc]  # of a default no type is inferred
        assert again == list(range(epoch + 1, len(whole[0]) + 1))
        assert outcome(tmp_path / f"stopped-{epoch}") == whole


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "plain"])
def test_a_stopped_run_ends_with_the_same_numbers(name: str, small: Overrides, tmp_path: Path) -> None:
    """Stopped within the second stage, or, if patience has ended it before, after the last epoch."""
    check_stops(name, [4], small, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_stopped_run_ends_with_the_same_numbers_wherever_it_was_stopped(
    name: str, small: Overrides, tmp_path: Path
) -> None:
    """Within a stage, at the end of the first, within the second; patience ends it after fewer epochs."""
    check_stops(name, (1, 3) if name != "patience" else range(1, 6), small, tmp_path)


def test_a_run_stopped_many_times_ends_with_the_same_numbers(
    small: Overrides, tmp_path: Path, two_stages: Outcome
) -> None:
    for epoch in (1, 2, 3, 4):
        with pytest.raises(StoppedError):
            run(small(TWO_STAGES), stop_after(epoch))
    run(small(TWO_STAGES))
    assert outcome(tmp_path / "run") == two_stages


@pytest.mark.parametrize("name", ["append_metrics", pytest.param("write_weights", marks=pytest.mark.slow)])
def test_a_run_stopped_between_the_files_of_an_epoch_ends_with_the_same_numbers(
    name: str, small: Overrides, tmp_path: Path, two_stages: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best weights or the row of an epoch are written, its checkpoint is not: the epoch is run again."""
    calls = 0

    def stop_after_third(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> None:
            nonlocal calls
            original(*arguments)
            calls += 1
            if calls == 3:
                raise StoppedError

        return wrapped

    with monkeypatch.context() as patch:
        import spectral.training.trainer as training

        owner: Any = training.RunFolder if name == "append_metrics" else training
        patch.setattr(owner, name, stop_after_third(getattr(owner, name)))
        with pytest.raises(StoppedError):
            run(small(TWO_STAGES))
    run(small(TWO_STAGES))
    assert outcome(tmp_path / "run") == two_stages


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(0.0, marks=pytest.mark.slow),
        pytest.param(0.02, marks=pytest.mark.slow),
        0.5,
        pytest.param(0.98, marks=pytest.mark.slow),
    ],
)
def test_a_truncated_checkpoint_is_reported_and_the_run_starts_again(
    share: float, small: Overrides, tmp_path: Path, two_stages: Outcome, stopped: None, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint = tmp_path / "run" / "last.ckpt"
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    with caplog.at_level(logging.WARNING):
        run(small(TWO_STAGES))
    assert "last.ckpt cannot be read" in caplog.text and "starts again from its beginning" in caplog.text
    assert outcome(tmp_path / "run") == two_stages


@pytest.mark.parametrize(
    "damage", ["last row lost", pytest.param("all rows lost", marks=pytest.mark.slow), "a row corrupt"]
)
def test_rows_that_a_power_failure_took_are_those_of_the_checkpoint(
    damage: str, small: Overrides, tmp_path: Path, two_stages: Outcome, stopped: None
) -> None:
    metrics = tmp_path / "run" / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    assert len(lines) == 4
    left = {"last row lost": lines[:3], "all rows lost": [], "a row corrupt": [lines[0], "\0" * 40 + "\n", *lines[2:]]}
    metrics.write_text("".join(left[damage]))
    again: list[int] = []
    run(small(TWO_STAGES), lambda number, _row: again.append(number))
    assert again == [5] and outcome(tmp_path / "run") == two_stages


@pytest.mark.slow
def test_a_run_of_an_earlier_version_that_lost_a_row_starts_again(
    small: Overrides, tmp_path: Path, two_stages: Outcome, stopped: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Its checkpoint keeps no rows."""
    folder = RunFolder(tmp_path / "run")
    saved = load_checkpoint(folder.checkpoint)
    assert saved is not None
    save_checkpoint(folder.checkpoint, dataclasses.replace(saved, rows=[]))
    folder.write_metrics(folder.read_metrics()[:3])
    whole = folder.checkpoint.read_bytes()
    with caplog.at_level(logging.WARNING):
        run(small(TWO_STAGES))
    assert "metrics.jsonl lacks epochs" in caplog.text and "starts again from its beginning" in caplog.text
    assert "it is kept as last.ckpt.incomplete" in caplog.text
    assert (tmp_path / "run" / "last.ckpt.incomplete").read_bytes() == whole
    assert outcome(tmp_path / "run") == two_stages


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", marks=pytest.mark.slow),
        pytest.param(b"x" * 100, marks=pytest.mark.slow),
        pytest.param(None, marks=pytest.mark.slow),
        "one byte changed",
    ],
)
def test_best_weights_that_cannot_be_read_have_a_way_out(
    content: bytes | str | None, small: Overrides, tmp_path: Path, two_stages: Outcome, stopped: None
) -> None:
    folder = RunFolder(tmp_path / "run")
    whole = folder.weights.read_bytes()
    folder.weights.unlink()
    if content is not None:
        changed = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
        folder.weights.write_bytes(content if isinstance(content, bytes) else changed)
    with pytest.raises(UserError, match=r"best\.safetensors cannot be read.*delete .*last\.ckpt"):
        run(small(TWO_STAGES))
    folder.checkpoint.unlink()  # as the sentence says
    run(small(TWO_STAGES))
    assert outcome(tmp_path / "run") == two_stages


def test_a_finished_run_gives_its_result_without_training(
    small: Overrides, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(small())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir() if path.name != "run.lock"}
    seen: list[int] = []
    assert run(small(), lambda epoch, _row: seen.append(epoch)) == first
    assert seen == []
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir() if path.name != "run.lock"}


@pytest.mark.parametrize("finished", [True, False])
def test_another_config_is_refused_with_the_key_that_differs(finished: bool, small: Overrides, tmp_path: Path) -> None:
    if finished:
        run(small())
    else:
        with pytest.raises(StoppedError):
            run(small(), stop_after(1))
    written = rows(tmp_path / "run")
    with pytest.raises(UserError, match=r"optimizer\.lr=0\.01, this command has optimizer\.lr=0\.02"):
        run(small("optimizer.lr=0.02"))
    assert rows(tmp_path / "run") == written


def test_a_run_resumes_with_other_threads_and_layout(small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(small(), stop_after(1))
    run(small("layout=contiguous", "num_threads=2"))
    assert [row["epoch"] for row in rows(tmp_path / "run")] == [1, 2, 3]


@pytest.mark.skipif(library().code is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("kernel", ["native", pytest.param("torch", marks=pytest.mark.slow)])
def test_a_resumed_run_keeps_its_kernel_and_ends_with_the_same_numbers(
    kernel: str, small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(small(f"kernel={kernel}", folder="whole"))
    with pytest.raises(StoppedError):
        run(small(f"kernel={kernel}"), stop_after(1))
    # What this machine would take by itself is the other one.
    monkeypatch.setattr("spectral.runtime._kernel_before", other_kernel(kernel))
    run(small())
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    assert result(tmp_path / "run")["runtime"]["kernel"] == kernel


def other_kernel(kernel: str) -> Callable[[str | None], str]:
    return lambda before: before or {"native": "torch", "torch": "native"}[kernel]


def test_a_run_whose_network_has_another_layer_now_is_refused(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def longer(num_channels: int, num_classes: int, length: int, **options: Any) -> torch.nn.Module:
        sizes = {"num_channels": num_channels, "num_classes": num_classes, "length": length}
        network = ReferenceNetwork(**sizes, **options)
        network.more = torch.nn.Linear(2, 2)
        return network

    with pytest.raises(StoppedError):
        run(small(), stop_after(1))
    before = (tmp_path / "run" / "last.ckpt").read_bytes()
    monkeypatch.setattr("spectral.models.reference.ReferenceNetwork", longer)
    with pytest.raises(UserError, match=r"run_dir=.* began with another network: last\.ckpt does not fit the class of"):
        run(small())
    assert (tmp_path / "run" / "last.ckpt").read_bytes() == before
    monkeypatch.undo()
    run(small())
