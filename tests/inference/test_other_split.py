"""Whether a run may be scored on spectra that another one was trained on."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_folders import scored_run

from spectral.data.dataset import Dataset
from spectral.files import write_json
from spectral.inference.other_split import doubt_of_split
from spectral.survey import Survey

NUM = 12
DOUBT = "init=FOLDER has another split: it may have been trained on spectra that this run is scored on."


def dataset(*validation: int, folder: Path | None = None) -> Dataset:
    catalog = pd.DataFrame({"id": [str(row) for row in range(NUM)], "class_index": np.arange(NUM) % 2})
    survey = Survey(np.zeros((NUM, 1, 8), np.float32), catalog, ("a", "b"), fingerprint="f", folder=folder)
    test = np.array([NUM - 1])
    return Dataset(survey, np.setdiff1d(np.arange(NUM - 1), validation), np.array(validation, dtype=np.int64), test)


def ids(rows: tuple[int, ...]) -> list[str]:
    return [str(row) for row in rows]


def pack_of(source: str, folder: Path) -> Path:
    """A folder that says of which files it was packed."""
    about = {"format": 1, "fingerprint": "", "class_names": [], "wave_angstrom": None, "skipped": {}}
    folder.mkdir()
    write_json(folder / "survey.json", about | {"plan": {"source": source}})
    return folder


@pytest.mark.parametrize(
    ("theirs", "own", "said"),
    [((0, 1), (0, 1), ""), ((0, 1), (2, 3), DOUBT), ((), (2, 3), DOUBT), ((), (), ""), (None, (2, 3), "")],
)
def test_a_run_that_validated_on_other_spectra_is_doubted(
    theirs: tuple[int, ...] | None, own: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    """One that validated on none too; None: it left no predictions."""
    other = scored_run(tmp_path, "f", validation=ids(theirs or ()))
    if theirs is None:
        other.predictions.unlink()
    assert doubt_of_split("init=FOLDER", other, dataset(*own)) == said


@pytest.mark.parametrize(("tested", "said"), [((), ""), ((11,), ""), ((10, 11), ""), ((10,), DOUBT)])
def test_without_validation_the_test_spectra_are_compared(tested: tuple[int, ...], said: str, tmp_path: Path) -> None:
    """Spectrum 11 tests this run; without a row of it, the other one may have been trained on it."""
    assert doubt_of_split("init=FOLDER", scored_run(tmp_path, "f", test=ids(tested)), dataset()) == said


@pytest.mark.parametrize(
    ("validated", "tested", "source", "said"),
    [
        ((0, 1), (11,), "files", ""),
        ((0, 5), (1, 10, 11), "files", ""),
        ((0,), (11,), "files", DOUBT),
        ((0, 1), (10,), "files", DOUBT),
        ((0, 1), (), "files", ""),
        ((0,), (11,), "other files", ""),
        ((0,), (11,), None, ""),
    ],
)
def test_a_run_on_a_part_of_the_same_files_is_scored_on_what_the_other_one_held_out(
    validated: tuple[int, ...], tested: tuple[int, ...], source: str | None, said: str, tmp_path: Path
) -> None:
    """As with data.limit; this run is scored on spectra 0, 1 and 11. None: the other one's pack is gone."""
    own = dataset(0, 1, folder=pack_of("files", tmp_path / "part"))
    whole = "" if source is None else str(pack_of(source, tmp_path / "whole"))
    other = scored_run(tmp_path, "whole", whole, validation=ids(validated), test=ids(tested))
    assert doubt_of_split("init=FOLDER", other, own) == said


@pytest.mark.parametrize("key", ["init", "distill"])
@pytest.mark.parametrize(
    ("fingerprint", "said"), [("f", f"init=FOLDER is in doubt itself: {DOUBT}"), ("of others", "")]
)
def test_what_is_said_against_a_run_is_said_of_those_that_begin_with_it(
    key: str, fingerprint: str, said: str, tmp_path: Path
) -> None:
    """If they are on the same data: of other data it was not trained on what they are scored on."""
    other = scored_run(tmp_path, fingerprint, validation=ids((0, 1)))
    write_json(other.result, json.loads(other.result.read_text()) | {key: {"folder": "FOLDER", "doubt": DOUBT}})
    assert doubt_of_split("init=FOLDER", other, dataset(0, 1)) == said
