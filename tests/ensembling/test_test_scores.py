"""The test split of an ensemble, scored later."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from run_folders import scored_run
from small_runs import OVERRIDES, arrays, run

from spectral.configs.readers import ArraysConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.ensembling import test_scores
from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.ensembling.test_scores import has_test, score_test
from spectral.errors import InUseError, UserError
from spectral.native.library import Library
from spectral.runs.folder import RunFolder


def test_data_is_known_by_the_fingerprint_that_an_earlier_version_had_of_it(
    ensemble: Path, pack_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(ensemble, tmp_path / "out")
    file, scored = tmp_path / "out" / "result.json", json.loads((ensemble / "result.json").read_text())
    former = json.loads((pack_folder / "survey.json").read_text())["former_fingerprint"]
    for fingerprint in ("of other data", former):
        survey = scored["survey"] | {"fingerprint": fingerprint}
        held = {key: value for key, value in scored.items() if not key.startswith("test/")}
        file.write_text(json.dumps(held | {"survey": survey, "score_test": False}))
        if fingerprint == former:
            result = score_test(tmp_path / "out")
            assert result["score_test"] and result["test/macro_f1"] == pytest.approx(scored["test/macro_f1"])
        else:
            with pytest.raises(UserError, match="the survey has changed since the runs in"):
                score_test(tmp_path / "out")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_machine_without_the_kernel_of_the_runs_scores_it_too(
    precision: str, ensemble: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = RunFolder(shutil.copytree(ensemble, tmp_path / "out"))
    out.write_config(out.load_config() | {"kernel": "native", "precision": precision})
    scored = json.loads(out.result.read_text())
    out.write_result({key: value for key, value in scored.items() if key[:5] != "test/"} | {"score_test": False})
    monkeypatch.setattr("spectral.runtime.library", lambda: Library(problem="there is no C++ compiler on the path"))
    assert score_test(out.path)["test/num_spectra"] == scored["test/num_spectra"]


def test_scores_that_another_process_has_added_are_given(
    ensemble: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ensemble, tmp_path / "out")
    monkeypatch.delattr(test_scores, "evaluate")
    assert score_test(tmp_path / "out") == json.loads((ensemble / "result.json").read_text())
    with RunFolder(tmp_path / "out").locked(), pytest.raises(InUseError):
        score_test(tmp_path / "out")


def test_scores_by_argmax_have_the_name_of_the_rule_too_if_that_is_the_objective(
    pack_folder: Path, tmp_path: Path
) -> None:
    """As those of the runs themselves have: the rule is then argmax or another, and both are compared by one name."""
    members = [tmp_path / "a", tmp_path / "b"]
    short = ("schedule.stages.0.epochs=1", "objective=val/decision/macro_f1", "score_test=false")
    for seed, path in enumerate(members):
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={path}", *OVERRIDES, *short, f"seed={seed}"])
    make_ensemble(members, tmp_path / "out", EnsembleOptions(select="all"))
    result = score_test(tmp_path / "out")
    assert result["test/decision/macro_f1"] == result["test/macro_f1"]
    assert result["confusion"]["test/decision"] == result["confusion"]["test"]
    assert result["val/decision/macro_f1"] == result["val/macro_f1"]


@pytest.mark.parametrize("other", ["test", "validation"])
def test_whether_the_data_has_a_test_split_of_its_own_is_seen_in_its_pack(other: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", **arrays(num=8), split=np.array(["train", other] * 4))
    pack(open_arrays(str(tmp_path / "s.npz")), ArraysConfig(num_workers=1), tmp_path / "pack", progress=False)
    run = scored_run(tmp_path / "run", folder=str(tmp_path / "pack"))
    run.config.write_text("split:\n  name: given\n")
    assert has_test(run.path) == (other == "test")
    (tmp_path / "pack" / "survey.json").unlink()
    assert has_test(run.path)  # it may have one
