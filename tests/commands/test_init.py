"""init=FOLDER: a run starts from the best weights of another."""

import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from safetensors.torch import load_file
from search_runs import run as sweep
from small_runs import OVERRIDES, REPOSITORY, StoppedError, arrays, outcome, result, rows, run, stop_after
from torch import Tensor

from spectral.errors import UserError
from spectral.scoring.console import print_result

Overrides = Callable[..., list[str]]
STILL = ("optimizer.lr=1e-30", "schedule.stages.0.epochs=1")  # trains, and changes no weight


@pytest.fixture(scope="module")
def other(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the small survey."""
    folder = tmp_path_factory.mktemp("other") / "run"
    more = ("schedule.stages.0.epochs=5", "schedule.stages.0.steps=40", "schedule.ema_decay=0.9")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, *more])
    return folder


@pytest.fixture
def two_classes(tmp_path: Path) -> list[str]:
    """Other spectra, without quasars."""
    content = arrays()
    kept = content["label"] != "qso"
    np.savez(tmp_path / "two.npz", wave=content["wave"], **{k: content[k][kept] for k in ("flux", "id", "label")})
    return ["data=arrays", f"data.path={tmp_path / 'two.npz'}", "data.num_workers=1", f"cache_dir={tmp_path}"]


def weights(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "best.safetensors")


def validation(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key.startswith("val/")}


def test_a_run_starts_from_the_best_weights_of_the_other(small: Overrides, tmp_path: Path, other: Path) -> None:
    run(small(f"init={other}", *STILL))
    best = rows(other)[result(other)["best_epoch"] - 1]
    assert best["val/macro_f1"] > 0.6
    assert validation(rows(tmp_path / "run")[0]) == validation(best)


def test_the_result_records_the_initial_weights(small: Overrides, tmp_path: Path, other: Path) -> None:
    run(small(f"init={other}", *STILL))
    initial = result(tmp_path / "run")["init"]
    assert initial["folder"] == str(other) and initial["head"] == "kept"
    assert re.fullmatch("[0-9a-f]{32}", initial["weights"])
    run(small(*STILL, folder="fresh"))
    assert "init" not in result(tmp_path / "fresh") and not (tmp_path / "fresh" / "init.json").exists()
    assert weights(tmp_path / "fresh").keys() == weights(tmp_path / "run").keys()


def test_the_head_is_kept_by_the_names_of_the_classes(
    two_classes: list[str], tmp_path: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever their order and capitals; a run without quasars begins with what is known of stars and galaxies."""
    more = ("data.class_names=[GALAXY,nova,Star]", f"run_dir={tmp_path / 'run'}", f"init={other}")
    with caplog.at_level(logging.INFO):
        run([*two_classes, *OVERRIDES, *STILL, *more])
    assert "The head is kept by the names of the classes: new are nova; left out are qso." in caplog.text
    begun, own = weights(other), weights(tmp_path / "run")
    assert own["head.logits.weight"][[2, 0]].equal(begun["head.logits.weight"][[0, 1]])
    assert all(own[key].equal(begun[key]) for key in own if not key.startswith("head.logits."))
    assert result(tmp_path / "run")["init"]["head"] == "by class"


def test_the_head_is_made_again_if_no_class_is_known(
    two_classes: list[str], tmp_path: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = dict(np.load(tmp_path / "two.npz"))
    np.savez(tmp_path / "two.npz", **content | {"label": np.where(content["label"] == "star", "dwarf", "giant")})
    with caplog.at_level(logging.INFO):
        run([*two_classes, *OVERRIDES, *STILL, f"run_dir={tmp_path / 'run'}", f"init={other}"])
    assert f"The head is made again: classes star, galaxy, qso of {other}, dwarf, giant here." in caplog.text
    begun, own = weights(other), weights(tmp_path / "run")
    assert own["head.logits.weight"].shape[0] == 2
    assert all(own[key].equal(begun[key]) for key in own if not key.startswith("head."))
    assert result(tmp_path / "run")["init"]["head"] == "new"


def test_weights_of_other_wavelengths_are_refused_unless_allowed(
    two_classes: list[str], tmp_path: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Allowed, the difference stands in the result, for ever."""
    content = dict(np.load(tmp_path / "two.npz"))
    np.savez(tmp_path / "two.npz", **content | {"wave": content["wave"] + 500})
    command = [*two_classes, *OVERRIDES, *STILL, f"run_dir={tmp_path / 'run'}", f"init={other}"]
    sentence = f"init={other} was trained on 4000.0 to 5000.0 Angstrom in 96 pixels, here the spectra have 4500.0"
    with pytest.raises(UserError, match=rf"^{re.escape(sentence)} .*: resample .* give init_wave=any to begin"):
        run(command)
    assert not (tmp_path / "run").exists()
    run([*command, "init_wave=any"])
    assert result(tmp_path / "run")["init"]["doubt"].startswith(sentence)
    print_result(Console(), result(tmp_path / "run"), tmp_path / "run")
    assert sentence in capsys.readouterr().out.splitlines()[-1]


def test_weights_without_wavelengths_to_compare_are_warned_of(
    two_classes: list[str], tmp_path: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = dict(np.load(tmp_path / "two.npz"))
    del content["wave"]
    np.savez(tmp_path / "two.npz", **content)
    run([*two_classes, *OVERRIDES, *STILL, f"run_dir={tmp_path / 'run'}", f"init={other}"])
    assert f"init={other} has wavelengths, this data has none" in caplog.text


def test_weights_of_another_split_of_the_same_data_are_warned_of(
    small: Overrides, tmp_path: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = f"init={other} has another split: it may have been trained on spectra that this run is scored on."
    run(small(f"init={other}", *STILL))
    assert "doubt" not in result(tmp_path / "run")["init"] and sentence not in caplog.text
    run(small(f"init={other}", *STILL, "split.seed=7", folder="split"))
    assert result(tmp_path / "split")["init"]["doubt"] == sentence and sentence in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["model.width=6"], r"model\.width=4 there, 6 here \(\S+ is 8x\S+ there, 12x\S+ here\)\.$"),
        (["model.num_blocks=3"], r"model\.num_blocks=2 there, 3 here \(blocks\.2\S* is absent there, \S+ here\)\.$"),
        (["model=fcn"], r"model=reference there, fcn here \(\S+ is absent there, \S+ here\)\.$"),
    ],
)
def test_another_body_is_refused_before_anything_is_written(
    changes: list[str], message: str, small: Overrides, tmp_path: Path, other: Path
) -> None:
    is_other_model = changes[0].startswith("model=")
    overrides = [o for o in small(f"init={other}") if not (is_other_model and o.startswith("model."))]
    with pytest.raises(UserError, match=rf"^init={re.escape(str(other))} does not fit this network: {message}"):
        run([*overrides, *changes])
    assert not (tmp_path / "run").exists()


def test_options_that_change_what_the_weights_mean_are_reported(
    small: Overrides, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run(small(f"init={other}", *STILL, "model.dilations=[1,2,5]", "model.dropout=0.5", "transform.clip=5"))
    messages = [
        record.message.removeprefix(f"{other} had ") for record in caplog.records if str(other) in record.message
    ]
    assert messages == ["model.dilations=[1, 2, 4], here it is [1, 2, 5].", "transform.clip=None, here it is 5.0."]


@pytest.mark.slow
def test_other_options_of_a_channel_are_reported(
    small: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def channels(block_pixels: int) -> str:
        return f"inputs.channels=[flux,{{name:continuum,block_pixels:{block_pixels}}}]"

    begin = tmp_path / "begin"
    run(small(channels(20), *STILL, folder="begin"))
    run(small(channels(20), f"init={begin}", *STILL, folder="same"))
    assert f"{begin} had" not in caplog.text
    run(small(channels(30), f"init={begin}", *STILL))
    assert (
        f"{begin} had inputs.channels=[flux, {{name: continuum, block_pixels: 20}}], here it is "
        "[flux, {name: continuum, block_pixels: 30}]."
    ) in caplog.text


def test_a_run_is_resumed_without_the_folder_of_its_initial_weights(
    small: Overrides, tmp_path: Path, other: Path
) -> None:
    begin = Path(shutil.copytree(other, tmp_path / "begin"))
    run(small(f"init={begin}", folder="whole"))
    with pytest.raises(StoppedError):
        run(small(f"init={begin}"), stop_after(1))
    shutil.rmtree(begin)
    run(small(f"init={begin}"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_a_run_with_other_initial_weights_is_another_run(small: Overrides, tmp_path: Path, other: Path) -> None:
    run(small(f"init={other}", *STILL))
    with pytest.raises(UserError, match=r"holds a run with init=\S+, this command has init=None"):
        run(small(*STILL))


def test_initial_weights_must_come_from_a_finished_run(small: Overrides, tmp_path: Path, other: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(UserError, match=rf"^init=\S+ {message}"):
            run(small(f"init={tmp_path / 'begin'}"))
        assert not (tmp_path / "run").exists()

    refused(r"is not a run folder: it has no config\.yaml\.$")
    (tmp_path / "begin" / "0").mkdir(parents=True)
    (tmp_path / "begin" / "0" / "config.yaml").touch()
    refused(r"is not a run folder: it has no config\.yaml\. Give a run in it: init=\S+/begin/0\.$")
    shutil.rmtree(tmp_path / "begin")
    shutil.copytree(other, tmp_path / "begin")
    (tmp_path / "begin" / "best.safetensors").unlink()
    refused(r"has no weights to begin with: best\.safetensors is not there\.$")
    (tmp_path / "begin" / "result.json").unlink()
    refused(r"is a run that has not ended: it has no result\.json, so resume it first\.$")


@pytest.mark.slow
def test_a_sweep_compares_initial_weights(pack_folder: Path, tmp_path: Path, other: Path) -> None:
    command = ["data=packed", f"data.folder={pack_folder}", *OVERRIDES, f"init=null,{other}"]
    sweep(tmp_path / "sweep", *command, script=REPOSITORY / "run.py")
    fresh, begun = (result(tmp_path / "sweep" / str(number)) for number in (0, 1))
    assert "init" not in fresh and begun["init"]["folder"] == str(other)
