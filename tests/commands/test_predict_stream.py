"""`spectral.predict` as a stream: resumed, in shards, with bad spectra, thresholds and class shares."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import NUM, ON_CPU, SMALL_PARTS, command, hidden, predict, with_bad_spectra
from small_runs import CLASSES, REPOSITORY, arrays

from spectral import load_run
from spectral.errors import UserError
from spectral.prediction import run
from spectral.prediction.work import Part, Work

KILLED = """
import os, signal, sys
from spectral.prediction.work import Work
written, write = [], Work.write
def stop(self, span, part):
    write(self, span, part)
    written.append(span)
    if len(written) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
Work.write = stop
from applied_runs import command
command("predict", *sys.argv[1:])
"""


def stopped_after_two(write: Callable[..., None]) -> Callable[..., None]:
    written: list[Any] = []

    def stop(self: Work, span: tuple[int, int], part: Part) -> None:
        write(self, span, part)
        written.append(span)
        if len(written) == 2:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("is_killed", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["stopped", "killed"])
def test_a_command_that_has_not_ended_resumes_and_ends_with_the_same_bytes(
    is_killed: bool,
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    fixed_date: None,
    count_parts: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, out = spectra(**with_bad_spectra()), tmp_path / "cat.parquet"
    given = [f"run={finished}", "data=arrays", f"data.path={data}", f"out={out}", f"cache_dir={tmp_path / 'cache'}"]
    given += ["data.num_workers=1", "num_threads=1", *ON_CPU, *SMALL_PARTS, "keep_columns=true"]
    if is_killed:
        path = f"{REPOSITORY}:{REPOSITORY / 'tests' / 'helpers'}"
        ended = subprocess.run([sys.executable, "-c", KILLED, *given], env={"PYTHONPATH": path, "PATH": ""})
        assert ended.returncode == -signal.SIGKILL
    else:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Work, "write", stopped_after_two(Work.write))
            command("predict", *given)
        del count_parts[:]
    assert not out.exists()
    predict(finished, data, out, "num_threads=1", *SMALL_PARTS, "keep_columns=true")
    assert count_parts == [(at, min(at + 8, NUM)) for at in range(16, NUM, 8)]
    predict(finished, data, tmp_path / "whole.parquet", "num_threads=1", *SMALL_PARTS, "keep_columns=true")
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert hidden(tmp_path) == []


def test_a_finished_command_is_not_repeated_unless_that_is_asked_for(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    count_parts: list[tuple[int, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, out = spectra(), tmp_path / "cat.csv"
    predict(finished, data, out)
    first = capsys.readouterr().out
    assert f"50 rows written to {out}, all with a class" in first
    stamp = out.stat().st_mtime_ns
    predict(finished, data, out)
    assert len(count_parts) == 1 and out.stat().st_mtime_ns == stamp
    assert capsys.readouterr().out == first
    predict(finished, data, out, "overwrite=true")
    assert len(count_parts) == 2
    predict(finished, data, out, "overwrite=true", "reject_below=0.5")  # other columns
    assert len(count_parts) == 3 and "rejected" in pd.read_csv(out)
    out.unlink()
    predict(finished, spectra(snr=np.arange(NUM) / 2), out, "reject_below=0.5")
    assert len(count_parts) == 4 and out.exists()


def test_a_part_that_is_made_is_kept_when_only_the_join_was_lost(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    count_parts: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    data, out = spectra(), tmp_path / "cat.csv"
    with monkeypatch.context() as patched:
        patched.setattr(run, "join", killed)
        with pytest.raises(KeyboardInterrupt):
            predict(finished, data, out, *SMALL_PARTS)
    num = len(count_parts)
    predict(finished, data, out, *SMALL_PARTS, "format=probabilities")  # decided on, and written, as now asked for
    assert num == len(count_parts) == 7 and len(pd.read_csv(out)) == NUM


def test_parts_made_while_another_command_joined_its_own_are_removed(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, make = spectra(), tmp_path / "cat.csv", run._Prediction.make_parts

    def make_after_another(self: Any, command: Any, work: Work) -> None:
        monkeypatch.setattr(run._Prediction, "make_parts", make)
        predict(finished, data, out)
        make(self, command, work)

    monkeypatch.setattr(run._Prediction, "make_parts", make_after_another)
    predict(finished, data, out)
    assert len(pd.read_csv(out)) == NUM and hidden(tmp_path) == []


def test_bad_spectra_have_a_row_without_a_class_and_are_counted(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = spectra(**with_bad_spectra())
    predict(finished, data, tmp_path / "cat.parquet", "reject_below=0.01", *SMALL_PARTS)
    table = pd.read_parquet(tmp_path / "cat.parquet")
    assert table["id"].tolist() == [f"s{row:03d}" for row in range(NUM)]
    bad = [3, 20, 41]
    assert np.flatnonzero(table["problem"].notna()).tolist() == bad
    assert table["problem"][3] == "flux not finite: at pixel 7" and table["problem"][41] == "no good pixel"
    for name in ("predicted", "probability/star", "entropy"):
        assert np.flatnonzero(table[name].isna()).tolist() == bad, name
    assert np.flatnonzero(table["rejected"]).tolist() == bad
    shown = capsys.readouterr().out
    assert (
        "50 rows written" in shown
        and "47 with a class\n" in shown
        and "skipped 2: flux not finite; data.nan=mask marks such pixels\nskipped 1: no good pixel\n" in shown
    )
    record = json.loads((tmp_path / "cat.parquet.json").read_text())
    assert record["skipped"] == {"flux not finite": 2, "no good pixel": 1} and record["num_rows"] == NUM
    predict(finished, data, tmp_path / "result.csv", "format=contest")
    lines = (tmp_path / "result.csv").read_text().splitlines()
    assert len(lines) == NUM and [row for row, line in enumerate(lines) if line.endswith(",")] == bad
    with pytest.raises(UserError, match=r"Spectrum s003: flux not finite: at pixel 7; on_bad=skip .* data\.nan=mask"):
        predict(finished, data, tmp_path / "no.csv", "on_bad=error")


def test_good_spectra_do_not_depend_on_bad_ones_beside_them(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    predict(finished, spectra(**with_bad_spectra()), tmp_path / "some.parquet")
    predict(finished, spectra(), tmp_path / "all.parquet")
    some, every = pd.read_parquet(tmp_path / "some.parquet"), pd.read_parquet(tmp_path / "all.parquet")
    good = some["problem"].isna().to_numpy()
    names = [f"probability/{name}" for name in CLASSES]
    np.testing.assert_allclose(some.loc[good, names], every.loc[good, names], atol=1e-6)


def test_a_spectrum_that_the_network_cannot_take_stops_nothing(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectral.inference import predictor

    infer = predictor.infer

    def broken(*arguments: Any) -> Any:
        logits = infer(*arguments)
        logits[1, 0] = float("inf")
        return logits

    monkeypatch.setattr(predictor, "infer", broken)
    predict(finished, spectra(), tmp_path / "cat.parquet")
    table = pd.read_parquet(tmp_path / "cat.parquet")
    assert table["problem"].notna().sum() == 1 and "output is not finite" in table["problem"][1]


@pytest.mark.slow  # more spectra than one part has by default
def test_the_file_holds_what_the_python_interface_gives(finished: Path, tmp_path: Path) -> None:
    content = arrays(num=9000, seed=5)
    content["mask"] = np.random.default_rng(0).random(content["flux"].shape) < 0.02
    bad = [0, 511, 512, 8191, 8192, 8999]
    content["flux"][bad, 7], content["mask"][bad, 7] = np.nan, False
    np.savez(tmp_path / "new.npz", **content)
    predict(finished, tmp_path / "new.npz", tmp_path / "cat.parquet")
    table = pd.read_parquet(tmp_path / "cat.parquet")
    assert table["id"].tolist() == content["id"].tolist()
    assert np.flatnonzero(table["problem"].notna()).tolist() == bad
    good = np.setdiff1d(np.arange(9000), bad)
    trained = load_run(finished, device="cpu", precision="float32")
    flux, mask = content["flux"][good], content["mask"][good]
    found = table.loc[good, [f"probability/{name}" for name in CLASSES]]
    np.testing.assert_allclose(found, trained.predict_proba(flux, mask=mask), rtol=0, atol=1e-5)
    assert table.loc[good, "predicted"].tolist() == trained.predict(flux, mask=mask).tolist()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("reject=0.9", "reject_below=0.5"), "reject and reject_below each set a threshold"),
        (("reject=1.5",), r"reject=1\.5 is out of range"),
        (("reject=0.9", "format=contest"), "reject needs a file with a header"),
        (("shard=2", "shards=2"), "shard=2 is out of range: of shards=2 the last is 1"),
        (("priors=estimat",), "priors=estimat is not known: give estimate, or a number for each class"),
        (("priors={star: 0.5, galaxy: 0.2, qso: 0.2}",), r"priors=.* sums to 0\.9: it must sum to 1"),
        (("priors={star: 0.5, galaxie: 0.5}",), "names galaxie, which is not a class: did you mean 'galaxy'"),
        (("priors=[0.5,0.5]",), "has 2 values, but the run has 3 classes"),
    ],
)
def test_mistakes_end_in_one_sentence_and_write_nothing(
    more: tuple[str, ...], sentence: str, finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        predict(finished, spectra(), tmp_path / "out.csv", *more)
    assert not (tmp_path / "out.csv").exists() and hidden(tmp_path) == []
