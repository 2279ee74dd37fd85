"""The folder of an ensemble: what it holds, that it is used as a run, and what cannot be a member."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from applied_runs import ON_CPU, command, predict
from numpy.typing import NDArray
from small_runs import CLASSES, OVERRIDES, arrays, run

from spectral import load_run
from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.errors import UserError
from spectral.exporting.model_card import model_card
from spectral.inference.classifier import Classifier
from spectral.inference.initial_run import load_initial
from spectral.inference.saliency import gradient_times_input
from spectral.inputs.batches import Batch
from spectral.prediction.validation import Validation
from spectral.runs.folder import RunFolder
from sweeps.compare import command as compare
from sweeps.report.command import write_report

EQUAL = EnsembleOptions(select="all")
PROBABILITIES = [f"probability/{name}" for name in CLASSES]


def averaged(members: list[Path], flux: NDArray[Any]) -> NDArray[np.float64]:
    """The mean of the members' probabilities at the geometric mean of their class priors, by NumPy."""
    runs = [load_run(path, device="cpu", precision="float32") for path in members]
    priors = np.array([run.output_prior for run in runs])
    common = np.exp(np.log(priors).mean(axis=0))
    common /= common.sum()
    moved = [run.predict_proba(flux) * common / prior for run, prior in zip(runs, priors, strict=True)]
    return np.asarray(np.mean([p / p.sum(axis=1, keepdims=True) for p in moved], axis=0))


def test_the_network_gives_the_average_of_its_members_at_one_prior(members: list[Path], ensemble: Path) -> None:
    loaded, flux = load_run(ensemble, device="cpu", precision="float32"), arrays(num=9, seed=5)["flux"]
    np.testing.assert_allclose(loaded.predict_proba(flux), averaged(members, flux), rtol=1e-4, atol=1e-6)
    assert set(loaded.predict(flux)) <= set(CLASSES)


def test_predictions_are_those_that_the_network_gives(members: list[Path], ensemble: Path) -> None:
    """They were made from the members' predictions, without a network."""
    stored = pd.read_parquet(ensemble / "predictions.parquet")
    own = pd.read_parquet(members[0] / "predictions.parquet")
    assert sorted(zip(stored["split"], stored["id"], strict=True)) == sorted(zip(own["split"], own["id"], strict=True))
    data = arrays()
    rows = [int(name[1:]) for name in stored["id"]]
    given = load_run(ensemble, device="cpu", precision="float32").predict_proba(data["flux"][rows])
    np.testing.assert_allclose(stored[PROBABILITIES], given, rtol=1e-3, atol=1e-5)
    assert stored["label"].tolist() == data["label"][rows].tolist()


def test_evaluate_gives_the_scores_of_its_result(ensemble: Path, tmp_path: Path) -> None:
    command("evaluate", f"run={ensemble}", f"out={tmp_path / 'scores'}", f"cache_dir={tmp_path / 'cache'}", *ON_CPU)
    found, stored = (json.loads((path / "result.json").read_text()) for path in (tmp_path / "scores", ensemble))
    assert stored["score_test"] is True
    for name in ("test/macro_f1", "test/decision/macro_f1", "test/num_spectra"):
        assert found[name] == pytest.approx(stored[name])
    assert found["test/log_loss"] == pytest.approx(stored["test/log_loss"], rel=1e-4)


def test_it_is_applied_after_its_members_are_gone(members: list[Path], ensemble: Path, tmp_path: Path) -> None:
    for path in members[:2]:
        shutil.copytree(path, tmp_path / path.name)
    copies = [tmp_path / path.name for path in members[:2]]
    result = make_ensemble(copies, tmp_path / "both", EQUAL)
    assert [member["weight"] for member in result["ensemble"]["members"]] == [0.5, 0.5]
    for path in copies:
        shutil.rmtree(path)
    np.savez(tmp_path / "new.npz", **arrays(num=9, seed=5))
    predict(tmp_path / "both", tmp_path / "new.npz", tmp_path / "out.parquet", "reject=0.5")
    found = pd.read_parquet(tmp_path / "out.parquet")
    expected = averaged(members[:2], arrays(num=9, seed=5)["flux"])
    np.testing.assert_allclose(found[PROBABILITIES], expected, rtol=1e-3, atol=1e-5)


def test_compare_report_and_card_take_it_for_a_run(
    members: list[Path], ensemble: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([str(members[0]), str(ensemble)]) == 0
    said = capsys.readouterr().out
    assert f"test/decision/macro_f1 of {ensemble} less that of {members[0]}" in said
    assert "val/macro_f1" in write_report(str(ensemble), out=tmp_path / "report.html").read_text()
    card = model_card(RunFolder(ensemble))
    assert "Ensemble of 3 networks" in card and "`flux`, `mask` of flux scaled by `robust_z`" in card


def test_a_greedy_ensemble_says_that_its_own_validation_flatters_it(
    members: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = make_ensemble(members, tmp_path / "greedy", EnsembleOptions(num_bags=3))
    made = result["ensemble"]
    assert made["select"] == "greedy" and made["runs"] == [str(path) for path in members]
    assert sum(member["weight"] for member in made["members"]) == pytest.approx(1)
    given = (f"run={tmp_path / 'greedy'}", "on=validation", f"cache_dir={tmp_path / 'cache'}", *ON_CPU)
    with caplog.at_level(logging.WARNING):
        command("evaluate", *given)
    assert "The members of this ensemble were selected on these spectra, so these scores are flattered" in caplog.text


def test_the_folds_of_a_cross_validation_are_one_candidate(pack_folder: Path, tmp_path: Path) -> None:
    own = [option for option in OVERRIDES if not option.startswith(("split.", "schedule.stages"))]
    folds = [tmp_path / str(fold) for fold in range(2)]
    for fold, path in enumerate(folds):
        split = (
            "split=kfold",
            "split.num_folds=2",
            f"split.fold={fold}",
            "schedule.stages.0.epochs=1",
            "sampler=balanced",
        )
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={path}", *own, *split, "schedule.stages.0.steps=4"])
    result = make_ensemble(folds, tmp_path / "all", EnsembleOptions())
    assert result["ensemble"]["out_of_fold"] and result["ensemble"]["num_candidates"] == 1
    assert [member["weight"] for member in result["ensemble"]["members"]] == [0.5, 0.5]
    whole, single = (Validation.of(RunFolder(path), CLASSES) for path in (tmp_path / "all", folds[0]))
    assert whole is not None and whole.is_out_of_fold and single is not None and not single.is_out_of_fold
    given, said = (
        pd.read_parquet(tmp_path / "all" / "predictions.parquet"),
        [pd.read_parquet(path / "predictions.parquet") for path in folds],
    )
    for split, frames in {"validation": [pd.concat(said)], "test": said}.items():
        own_rows = given[given["split"] == split].set_index("id")[PROBABILITIES]
        parts = [frame[frame["split"] == split].set_index("id")[PROBABILITIES] for frame in frames]
        assert len(own_rows) == len(parts[0]) == result[f"{split.replace('validation', 'val')}/num_spectra"]
        np.testing.assert_allclose(own_rows, sum(part.loc[own_rows.index] for part in parts) / len(parts), atol=1e-6)


def test_saliency_adds_up_over_the_inputs(ensemble: Path) -> None:
    """Against the difference of the logit when all fluxes are scaled: both inputs stretch with the spectrum."""
    torch.manual_seed(0)
    classifier = Classifier.load(RunFolder(ensemble))
    network, inputs = classifier.load_network(RunFolder(ensemble)).eval(), classifier.build_inputs().eval()
    batch = Batch(torch.randn(2, 1, classifier.length), None, None, np.arange(2))
    found = gradient_times_input(network, inputs, batch, torch.tensor([0, 2]))
    assert len(inputs.parts) == 2 and found.shape == (2, 1, classifier.length)
    alone = []
    for part, first in zip(inputs.parts, (0, inputs.parts[0].num_channels), strict=True):
        channels = inputs(batch.flux, None, None)[0].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network(channels, None).gather(1, torch.tensor([[0], [2]])).sum(), channels)
        alone.append((gradient * channels)[:, first : first + part.num_survey_channels])
    torch.testing.assert_close(found, sum(alone).detach())  # type: ignore[union-attr]  # there are two


@pytest.fixture
def with_changed(members: list[Path], tmp_path: Path) -> Callable[[Callable[[Path], object]], list[Path]]:
    """The first member, and a copy of the second to which something is done."""

    def made(change: Callable[[Path], object]) -> list[Path]:
        shutil.copytree(members[1], tmp_path / "member")
        change(tmp_path / "member")
        return [members[0], tmp_path / "member"]

    return made


def changed(name: str, **values: Any) -> Callable[[Path], object]:
    """What sets keys of a JSON file."""

    def change(path: Path) -> None:
        content = json.loads((path / name).read_text())
        (path / name).write_text(json.dumps(content | values))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(shutil.rmtree, "member is not a run folder: it has no config.yaml", id="gone"),
        pytest.param(
            lambda path: (path / "result.json").unlink(), "member cannot be a member: it has no result", id="end"
        ),
        pytest.param(
            lambda path: (path / "model.json").unlink(), "has no network, since model.json is missing", id="model"
        ),
        pytest.param(
            lambda path: (path / "best.safetensors").unlink(), "since best.safetensors is missing", id="weights"
        ),
        pytest.param(
            lambda path: (path / "best.safetensors").write_bytes((path / "best.safetensors").read_bytes()[:-7]),
            "member/best.safetensors cannot be read: it was changed or cut short",
            id="cut",
        ),
        pytest.param(
            lambda path: (path / "predictions.parquet").unlink(),
            "member/predictions.parquet cannot be read: it lacks the 29 validation spectra",
            id="predictions",
        ),
        pytest.param(changed("model.json", class_names=["star", "galaxy", "agn"]), "class_names is", id="classes"),
        pytest.param(
            changed("model.json", length=95, wave_angstrom=None), "length is 95 of the first and 96", id="length"
        ),
        pytest.param(
            changed("model.json", wave_angstrom=list(range(96))), "wave_angstrom is 0.00 to 95.00 Angstrom", id="wave"
        ),
        pytest.param(
            changed("result.json", survey={"fingerprint": "x", "class_names": list(CLASSES)}),
            "make no ensemble: they were trained on different surveys, x and",
            id="survey",
        ),
        pytest.param(changed("model.json", output_prior=None), "model.json has no output_prior", id="prior"),
        pytest.param(
            changed("model.json", output_prior=[0.5, 0.5, 0]),
            "member cannot be a member: it was trained without",
            id="zero",
        ),
    ],
)
def test_what_cannot_be_a_member_is_named(
    change: Callable[[Path], object],
    said: str,
    with_changed: Callable[[Callable[[Path], object]], list[Path]],
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match=said):
        make_ensemble(with_changed(change), tmp_path / "out", EQUAL)
    assert not (tmp_path / "out").exists()


def test_runs_of_other_splits_are_refused(members: list[Path], pack_folder: Path, tmp_path: Path) -> None:
    more = ("schedule.stages.0.epochs=1", "schedule.stages.0.steps=2", "split.seed=1")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / 'other'}", *OVERRIDES, *more])
    with pytest.raises(UserError, match=r"other and .*a make no ensemble: they were validated"):
        make_ensemble([members[0], tmp_path / "other"], tmp_path / "out", EQUAL)


def test_what_holds_another_run_is_not_replaced(members: list[Path], ensemble: Path, tmp_path: Path) -> None:
    shutil.copytree(members[2], tmp_path / "run")
    with pytest.raises(UserError, match="is the folder of another run"):
        make_ensemble(members[:2], tmp_path / "run", EQUAL)
    with pytest.raises(UserError, match="is the folder of a member"):
        make_ensemble(members[:2], members[1], EQUAL)
    for name, file in {"sweep": "study.journal", "scores": "result.json"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}")
        with pytest.raises(UserError, match=f"{name} is not empty and holds no ensemble: give the ensemble a folder"):
            make_ensemble(members[:2], tmp_path / name, EQUAL)
        assert [path.name for path in (tmp_path / name).iterdir()] == [file]
    with pytest.raises(UserError, match=r"result\.json cannot be made: File exists"):
        make_ensemble(members[:2], tmp_path / "scores" / "result.json", EQUAL)
    with pytest.raises(UserError, match="is a single network"):
        make_ensemble([members[0], members[0]], tmp_path / "out", EQUAL)
    with pytest.raises(UserError, match="is an ensemble itself"):
        make_ensemble([members[0], ensemble], tmp_path / "out", EQUAL)


def test_an_ensemble_gives_no_weights_to_begin_with(ensemble: Path) -> None:
    with pytest.raises(UserError, match="is an ensemble, and its networks are no weights"):
        load_initial(str(ensemble), "same", None, None, RunFolder(ensemble / "other"), None)  # type: ignore[arg-type]  # refused before


def test_its_test_split_is_scored_later_by_evaluate_alone(members: list[Path], tmp_path: Path) -> None:
    """One member has not scored its test split, so the ensemble does not have it either."""
    shutil.copytree(members[0], tmp_path / "held")
    frame = pd.read_parquet(tmp_path / "held" / "predictions.parquet")
    frame[frame["split"] != "test"].to_parquet(tmp_path / "held" / "predictions.parquet", index=False)
    content = json.loads((tmp_path / "held" / "result.json").read_text())
    kept = {key: value for key, value in content.items() if not key.startswith("test/")}
    del kept["confusion"]["test"], kept["confusion"]["test/decision"]
    (tmp_path / "held" / "result.json").write_text(json.dumps(kept | {"score_test": False}))
    result = make_ensemble([tmp_path / "held", members[1]], tmp_path / "out", EQUAL)
    assert result["score_test"] is False and not any(key.startswith("test/") for key in result)
    scores = tmp_path / "scores"
    command("evaluate", f"run={tmp_path / 'out'}", f"out={scores}", f"cache_dir={tmp_path / 'cache'}", *ON_CPU)
    assert "test/macro_f1" in json.loads((scores / "result.json").read_text())
