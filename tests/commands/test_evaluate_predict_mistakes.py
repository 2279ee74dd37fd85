"""Mistakes in spectral.evaluate and spectral.predict: each is one sentence."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
import yaml
from applied_runs import NUM, command, evaluate, predict
from small_runs import REPOSITORY, StoppedError, run, stop_after

from spectral.configs.readers import ArraysConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError


def test_a_run_that_has_not_ended_is_refused(
    small: Callable[..., list[str]], spectra: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        run(small(), stop_after(1))
    with pytest.raises(UserError, match="has not ended"):
        predict(tmp_path / "run", spectra(), tmp_path / "out.csv")
    with pytest.raises(UserError, match="has not ended"):
        evaluate(tmp_path / "run")


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((), r"out=\.\.\. is missing: python -m spectral\.predict run=FOLDER data=\.\.\. out=FILE\."),
        (("out=a.csv", "run=nowhere"), r"data=\.\.\. is missing"),
        (
            ("out=a.txt", "run=nowhere", "data=arrays"),
            r"out=a\.txt has no known ending: end it in \.csv, \.parquet or \.fits",
        ),
        (("out=a.csv", "run=nowhere", "data=arrays"), "run=nowhere is not a run folder"),
        (
            ("out=a.csv", "run=nowhere", "format=hdf5"),
            "format=hdf5 is not known: .*contest, csv, fits, parquet",
        ),
        (("out=a.csv", "run=nowhere", "+foo=1"), "foo is not a known key: .*allowed: cache_dir, data"),
        (("out=a.csv", "run=nowhere", "evaluate_batch_size=0"), "evaluate_batch_size=0 is out of range"),
    ],
)
def test_mistakes_in_the_command_are_reported_before_anything_is_read(
    overrides: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        command("predict", *overrides)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("on=tests",), "on=tests is not known: did you mean 'test'"),
        (("device=cuda",), "device=cuda is not on this machine"),
    ],
)
def test_mistakes_in_an_evaluation_end_in_one_sentence(
    overrides: tuple[str, ...], sentence: str, finished: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        evaluate(finished, *overrides)


def test_a_split_can_only_be_asked_of_data_that_has_one(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    given = f"cache_dir={tmp_path / 'cache'}", "data=arrays", f"data.path={spectra()}", "data.num_workers=1"
    with pytest.raises(UserError, match="on=test needs data with a split of its own; on=all scores"):
        evaluate(finished, *given, "on=test")


def test_the_command_ends_in_one_sentence_and_leaves_the_working_directory_empty(tmp_path: Path) -> None:
    here = tmp_path / "empty"
    here.mkdir()
    ended = commands.command(REPOSITORY / "spectral" / "evaluate.py", "run=nowhere", cwd=here)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: run=nowhere is not a run folder: it has no config.yaml.\n"
    assert here.is_dir() and not list(here.iterdir())


def run_of_beats(finished: Path, folder: Path) -> Path:
    """The finished run as if its labels had come from a column `rhythm`, and its objects from `patient`."""
    shutil.copytree(finished, folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"] = {"name": "arrays", "path": "beats.npz", "label_key": "rhythm", "group_key": "patient"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def pack_of(data: Path, folder: Path) -> Path:
    """The arrays of a file, packed without any key."""
    pack(open_arrays(str(data)), ArraysConfig(num_workers=1), folder, progress=False)
    return folder


def test_data_without_labels_is_refused_with_the_key_that_the_run_had(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data = spectra(label=None, rhythm=np.resize(["star", "qso"], NUM))
    given = f"cache_dir={tmp_path / 'cache'}", "data=arrays", f"data.path={data}", "data.num_workers=1"
    sentence = (
        r"no labelled spectrum to score \(the run had data\.label_key=rhythm, which the data has too\): no column "
        r"called label.* data\.label_key names another; the data has id, rhythm\."
    )
    beats = run_of_beats(finished, tmp_path / "run")
    with pytest.raises(UserError, match=sentence):
        evaluate(beats, *given)
    with pytest.raises(UserError, match=r"which the data has too\): .* packing it again with data\.label_key names"):
        evaluate(beats, "data=packed", f"data.folder={pack_of(data, tmp_path / 'pack')}")


@pytest.mark.slow
def test_objects_of_the_run_that_the_command_does_not_name_are_warned_of(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    beats = run_of_beats(finished, tmp_path / "run")
    data = spectra(patient=np.arange(NUM) // 5)
    given = f"cache_dir={tmp_path / 'cache'}", "data=arrays", f"data.path={data}", "data.num_workers=1"

    def warned() -> bool:
        warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        return any(message.startswith("The run had data.group_key=patient, which the data has") for message in warnings)

    evaluate(beats, *given, "data.group_key=patient")
    assert not warned()
    evaluate(beats, *given)
    assert warned()
    evaluate(beats, "data=packed", f"data.folder={pack_of(data, tmp_path / 'pack')}")
    assert any(message.endswith("Pack it again with data.group_key=patient.") for message in caplog.messages)


def test_spectra_of_unequal_lengths_that_are_longer_than_the_runs_are_counted(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[("star", "qso")[i % 2], *["1.5"] * 96, *["2.5" if i < 2 else "NaN"] * 2] for i in range(6)]
    path = tmp_path / "beats.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    given = f"cache_dir={tmp_path / 'cache'}", "data=arrays", f"data.path={path}", "data.num_workers=1"
    sentence = r"98 pixels .* trained on 96; 2 of 6 are longer than that, the first is '0': data.on_bad=skip leaves"
    with pytest.raises(UserError, match=sentence):
        evaluate(finished, *given, "data.ragged=pad")
    evaluate(finished, *given, "data.ragged=pad", "data.on_bad=skip", f"out={tmp_path / 'scores'}")
    shown = "not scored: 2 that packing left out (2 longer than the run's spectra)"
    assert shown in capsys.readouterr().out.splitlines()
    assert len(pd.read_parquet(tmp_path / "scores" / "predictions.parquet")) == 4
