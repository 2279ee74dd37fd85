"""Which files `spectral.predict` replaces at `out=`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import NUM, ON_CPU, command, hidden, predict
from astropy.io import fits

from spectral.errors import UserError
from spectral.inputs.channels import Channel
from spectral.prediction import run
from spectral.prediction.work import Part, Work


def killed(*_: Any) -> Any:
    raise KeyboardInterrupt


def test_a_finished_catalog_that_was_made_otherwise_is_not_replaced(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = spectra(), tmp_path / "cat.csv"
    predict(finished, data, out, "keep_columns=[label]")
    before = out.read_bytes()
    sentence = r"cat\.csv was made with {}: give another out, or overwrite=true makes it again\.$"
    for more, with_what in [
        (("keep_columns=[label]", "reject=0.9", "priors=estimate"), "reject=null, priors=null"),
        (("format=probabilities",), r"format=csv, keep_columns=\[label\]"),
        (("keep_columns=[label]", "rows_per_part=9"), "rows_per_part=8192"),
        (("keep_columns=[label]", "precision=bfloat16"), "precision=float32"),
        (("keep_columns=[label]", "precision=auto", "kernel=auto"), "precision=float32, kernel=torch"),
    ]:
        with pytest.raises(UserError, match=sentence.format(with_what)):
            predict(finished, data, out, *more)
    with pytest.raises(UserError, match=sentence.format("other data or other options of it")):
        predict(finished, spectra(snr=np.arange(NUM) / 2), out, "keep_columns=[label]")
    assert out.read_bytes() == before and hidden(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("mine.csv", r"mine\.csv is"), ("mine.csv.json", r"mine\.csv needs the place of .*mine\.csv\.json,")],
)
def test_a_file_that_is_not_the_commands_own_is_replaced_only_if_that_is_asked_for(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sentence: str,
) -> None:
    data, out, precious = spectra(), tmp_path / "mine.csv", tmp_path / name
    precious.write_text('"precious"\n')
    with monkeypatch.context() as patched:
        patched.setattr(run, "_Prediction", None)  # no work at all
        with pytest.raises(UserError, match=rf"out=.*{sentence} a file that .* overwrite=true replaces it"):
            predict(finished, data, out)
    assert precious.read_text() == '"precious"\n' and hidden(tmp_path) == []
    predict(finished, data, out, "overwrite=true")
    assert len(pd.read_csv(out)) == NUM


def test_a_file_that_appears_while_spectra_are_classified_is_kept(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, write = spectra(), tmp_path / "cat.csv", Work.write

    def write_and_put_another(self: Work, span: tuple[int, int], part: Part) -> None:
        write(self, span, part)
        out.write_text("precious\n")

    monkeypatch.setattr(Work, "write", write_and_put_another)
    with pytest.raises(UserError, match="has not written"):
        predict(finished, data, out)
    assert out.read_text() == "precious\n"


def test_a_killed_command_that_may_replace_a_file_resumes_without_saying_so_again(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = spectra(), tmp_path / "cat.csv"
    out.write_text("old\n")
    with monkeypatch.context() as patched:
        patched.setattr(run, "join", killed)
        with pytest.raises(KeyboardInterrupt):
            predict(finished, data, out, "overwrite=true")
    out.write_text("another, which nobody has given away\n")
    with pytest.raises(UserError, match="has not written"):
        predict(finished, data, out)
    with monkeypatch.context() as patched:
        patched.setattr(run, "join", killed)
        with pytest.raises(KeyboardInterrupt):
            predict(finished, data, out, "overwrite=true")
    monkeypatch.setattr(Work, "write", None)  # no part is made again
    predict(finished, data, out)
    assert len(pd.read_csv(out)) == NUM and hidden(tmp_path) == []


def test_a_mistake_next_to_overwrite_leaves_a_finished_file_finished(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, own = spectra(), tmp_path / "cat.csv", tmp_path / "own.csv"
    predict(finished, data, out)
    own.write_text("precious\n")
    before = {path: path.read_bytes() for path in (out, tmp_path / "cat.csv.json", own)}
    for place in (out, own):
        with pytest.raises(UserError, match="keep_columns=snt is no column"):
            predict(finished, data, place, "overwrite=true", "keep_columns=[snt]")
        with pytest.raises(UserError, match="shards=99 is out of range"):
            predict(finished, data, place, "overwrite=true", "shards=99")
        with monkeypatch.context() as patched, pytest.raises(UserError, match="s004 is in the data more than once"):
            patched.setattr(Work, "repeated_id", lambda _: "s004")  # readers of arrays refuse such data
            predict(finished, data, place, "overwrite=true", "on_bad=error")
        with monkeypatch.context() as patched, pytest.raises(UserError, match="needs inverse variances"):
            patched.setattr(Channel, "needs_ivar", True)
            predict(finished, data, place, "overwrite=true")
    assert {path: path.read_bytes() for path in before} == before
    monkeypatch.setattr(Work, "write", None)  # no part is made
    predict(finished, data, out)
    with pytest.raises(UserError, match="has not written"):
        predict(finished, data, own)


def test_a_folder_or_a_file_in_the_way_is_refused_at_the_start(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, file = spectra(), tmp_path / "file"
    file.touch()
    (tmp_path / "cat.csv").mkdir()
    monkeypatch.setattr(run, "_Prediction", None)  # no work at all
    with pytest.raises(UserError, match=r"cat\.csv is a folder: give a file, such as out=.*cat\.csv/catalog\.parquet"):
        predict(finished, data, tmp_path / "cat.csv", "overwrite=true")
    with pytest.raises(UserError, match=r"cannot be written: .*file is a file, not a folder"):
        predict(finished, data, file / "cat.csv", f"cache_dir={tmp_path}")


def test_a_stop_between_the_file_and_its_record_needs_overwrite(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = spectra(), tmp_path / "cat.csv"
    with monkeypatch.context() as patched:
        patched.setattr(run, "write_record", killed)
        with pytest.raises(KeyboardInterrupt):
            predict(finished, data, out)
    assert out.exists() and not (tmp_path / "cat.csv.json").exists()
    with pytest.raises(UserError, match="give another out, or overwrite=true replaces it"):
        predict(finished, data, out)
    made: list[Part] = []
    with monkeypatch.context() as patched:
        patched.setattr(Work, "write", lambda _work, _span, part: made.append(part))
        predict(finished, data, out, "overwrite=true")
    assert not made  # the parts are still there
    assert len(pd.read_csv(out)) == NUM and (tmp_path / "cat.csv.json").exists()


@pytest.fixture
def in_their_folder(finished: Path, tmp_path: Path) -> Callable[..., Path]:
    """Predict text files of spectra, with the catalog in their folder."""
    folder = tmp_path / "spectra"
    folder.mkdir()
    for number in range(9):
        lines = [f"{3980 + 10 * pixel} {(pixel * number) % 7}" for pixel in range(106)]
        (folder / f"{number}.dat").write_text("\n".join(lines))

    def call(name: str, *more: str) -> Path:
        cache = f"cache_dir={tmp_path / 'cache'}"
        data = ("data=two_column", f"data.folder={folder}", "data.num_workers=1", f"out={folder / name}", cache)
        command("predict", f"run={finished}", *data, *ON_CPU, *more)
        return folder / name

    return call


def test_a_catalog_in_the_folder_of_the_spectra_is_resumed_and_made_once(
    in_their_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    in_parts, written, write = ("rows_per_part=2", "shards=4"), list[tuple[int, int]](), Work.write

    def noted(self: Work, span: tuple[int, int], part: Part) -> None:
        write(self, span, part)
        written.append(span)

    monkeypatch.setattr(Work, "write", noted)
    for shard in (0, 1, 2, 3):
        out = in_their_folder("cat.parquet", *in_parts, f"shard={shard}")
    assert sorted(written) == [(0, 2), (2, 4), (4, 6), (6, 8), (8, 9)] and len(pd.read_parquet(out)) == 9
    with caplog.at_level("INFO"):
        in_their_folder("cat.parquet", *in_parts, "shard=0")
    assert len(written) == 5 and "is finished" in caplog.text and hidden(out.parent) == []


def test_a_precision_that_is_asked_for_is_not_that_of_another_catalog(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, in_parts = spectra(), tmp_path / "cat.fits", ("rows_per_part=30", "shards=2")
    predict(finished, data, out, *in_parts, "shard=0", "precision=auto")
    assert len(hidden(tmp_path)) == 1
    predict(finished, data, out, *in_parts, "shard=1")
    assert len(hidden(tmp_path)) == 2 and not out.exists()  # parts of two kinds, and none is whole
    predict(finished, data, out, *in_parts, "shard=1", "precision=auto")
    assert "PRECIS" not in fits.getheader(out, 1)
    with pytest.raises(UserError, match="was made with precision=auto: give another out, or overwrite=true"):
        predict(finished, data, out, *in_parts, "shard=0")
    predict(finished, data, tmp_path / "other.fits")
    assert fits.getheader(tmp_path / "other.fits", 1)["PRECIS"] == "float32"


@pytest.mark.slow
def test_a_shard_that_is_given_again_finds_the_file_finished_in_spite_of_overwrite(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out, in_parts = spectra(), tmp_path / "cat.csv", ("rows_per_part=20", "shards=3", "overwrite=true")
    out.write_text("old\n")
    for shard in (0, 1, 2):
        predict(finished, data, out, *in_parts, f"shard={shard}")
    before = {path: path.read_bytes() for path in (out, tmp_path / "cat.csv.json")}
    monkeypatch.setattr(Work, "write", None)  # no part is made
    predict(finished, data, out, *in_parts, "shard=1")
    assert {path: path.read_bytes() for path in before} == before and hidden(tmp_path) == []


def test_a_catalog_that_would_count_as_a_spectrum_is_refused(in_their_folder: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match=r"out=.*cat\.csv is not allowed among the files of data\.folder=.*spectra, "):
        in_their_folder("cat.csv")


def test_a_refused_command_leaves_no_parts_unless_another_has_begun_them(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = spectra(), tmp_path / "cat.csv"
    with pytest.raises(UserError, match="keep_columns=WRONG is no column"):
        predict(finished, data, out, "keep_columns=[WRONG]")
    assert hidden(tmp_path) == []
    shards = ("rows_per_part=8", "shards=2", "shard=0")
    predict(finished, data, out, *shards)
    begun = hidden(tmp_path)
    with pytest.raises(UserError, match="keep_columns=WRONG is no column"):
        predict(finished, data, out, *shards, "keep_columns=[WRONG]")
    assert hidden(tmp_path) == begun != []
