"""Classical methods as runs: on the rows, inputs and scores of networks, in folders that the other commands take."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import command
from hydra.errors import MissingConfigException
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from small_runs import CLASSES, OVERRIDES, arrays, composed, result, run

import spectral.configs.baseline_run  # noqa: F401  (puts the typed config where Hydra finds it)
from spectral import load_run
from spectral.baselines.pls_da import PLSThenLDA, best_num_components
from spectral.baselines.run import run as run_baseline
from spectral.cli.run import hydra_sentence
from spectral.errors import UserError
from spectral.runs.folder import RunFolder
from sweeps.compare import command as compare
from sweeps.ls.runs import read_run
from sweeps.report.read_run_folders import read_run_folders

KEPT = ("split.validation", "split.test", "num_threads", "seed", "tracker")
QUICK = [*(option for option in OVERRIDES if option.startswith(KEPT)), "plots=false"]
PLS_DA = ("method=pls_da", "method.num_components=2")  # which are else chosen by cross-validation


@pytest.fixture
def baseline(pack_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """Runs a baseline on the small survey; gives its folder."""

    def carry_out(*more: str, folder: str = "baseline") -> Path:
        data = ["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / folder}"]
        with contextlib.redirect_stdout(io.StringIO()):
            run_baseline(composed([*data, *QUICK, *more], "baseline"))
        return tmp_path / folder

    return carry_out


def standardized(survey_file: Path) -> tuple[Any, pd.Series]:
    """The flux of the survey as transform=standardize has it, by id, and the labels by id."""
    with np.load(survey_file) as npz:
        flux, ids, labels = npz["flux"].astype(np.float64), npz["id"], npz["label"]
    scaled = (flux - flux.mean(1, keepdims=True)) / flux.std(1, keepdims=True)
    return pd.DataFrame(scaled, index=ids), pd.Series(labels, index=ids)


def parts(folder: Path, survey_file: Path) -> tuple[Any, ...]:
    """Training table and labels, test table, and stored probabilities of the test split, classes by name."""
    table, labels = standardized(survey_file)
    stored = pd.read_parquet(folder / "predictions.parquet").set_index("id")
    test = stored[stored["split"] == "test"]
    train = table.index.difference(stored.index, sort=False)
    probability = test[[f"probability/{name}" for name in sorted(CLASSES)]].to_numpy()
    return table.loc[train].to_numpy(), labels[train].to_numpy(), table.loc[test.index].to_numpy(), probability


def test_pls_da_is_partial_least_squares_and_discriminant_analysis(
    baseline: Callable[..., Path], survey_file: Path
) -> None:
    folder = baseline("method=pls_da", "method.num_components=3", "method.autoscale=false", "method.class_weight=none")
    train, labels, test, probability = parts(folder, survey_file)
    names, counts = np.unique(labels, return_counts=True)
    pls = PLSRegression(3, scale=False).fit(train, (labels[:, None] == names) / np.sqrt(counts))
    lda = LinearDiscriminantAnalysis(priors=counts / counts.sum()).fit(pls.transform(train), labels)
    assert probability == pytest.approx(lda.predict_proba(pls.transform(test)), abs=5e-3)  # its iteration ends at 1e-6


def test_the_forest_is_that_of_scikit_learn(baseline: Callable[..., Path], survey_file: Path) -> None:
    folder = baseline("method=random_forest", "method.num_trees=60", "method.min_leaf=5")
    train, labels, test, probability = parts(folder, survey_file)
    forest = RandomForestClassifier(60, min_samples_leaf=5, class_weight="balanced")
    forest.set_params(random_state=result(folder)["seed"]).fit(train, labels)
    # The same trees but for rounding to float32: 0.06 or more without class weights, 0.035 with leaves of one.
    assert np.abs(probability - forest.predict_proba(test)).mean() < 0.01


def test_rows_scores_and_result_are_those_of_a_network(
    baseline: Callable[..., Path], small: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(small())
    folder, network = baseline(*PLS_DA), tmp_path / "run"
    ours, theirs = pd.read_parquet(folder / "predictions.parquet"), pd.read_parquet(network / "predictions.parquet")
    assert ours[["id", "split", "label"]].equals(theirs[["id", "split", "label"]])
    assert list(ours) == list(theirs)
    assert set(result(network)) - set(result(folder)) == {
        *("best_epoch", "num_epochs", "num_parameters", "receptive_field", "train/loss")
    }
    assert set(result(folder)) - set(result(network)) == {"method"}
    assert result(folder)["survey"] == result(network)["survey"]
    assert not (folder / "model.json").exists()
    capsys.readouterr()
    assert compare.main([str(folder), str(network)]) == 0
    said = capsys.readouterr().out
    assert "method.name" in said and "on the same 24 spectra" in said


def test_lists_and_reports_take_baselines_next_to_networks(
    baseline: Callable[..., Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    run(small())
    entry = read_run(baseline(*PLS_DA))
    assert (entry.kind, entry.status, entry.cells()[3]) == ("baseline", "finished", "-")
    assert entry.values == [result(tmp_path / "baseline")["val/macro_f1"]]
    report = read_run_folders(tmp_path)
    assert sorted(str(trial.of_folder) for trial in report.trials) == ["baseline", "run"]
    assert not report.left_out


@pytest.mark.parametrize("method", [pytest.param("pls_da", marks=pytest.mark.slow), "random_forest", "boosting"])
def test_the_seed_decides(method: str, baseline: Callable[..., Path]) -> None:
    options = {"random_forest": ["method.num_trees=5"], "boosting": ["method.max_iter=3"]}.get(method, [])
    first, again = (baseline(f"method={method}", *options, folder=name) for name in ("first", "again"))
    assert result(first) == result(again)
    if method == "random_forest":
        assert result(baseline(f"method={method}", *options, "seed=4", folder="other")) != result(first)


def test_a_finished_baseline_gives_its_result_again(baseline: Callable[..., Path]) -> None:
    stored = baseline(*PLS_DA) / "result.json"
    before = stored.read_bytes()
    assert baseline(*PLS_DA) == stored.parent and stored.read_bytes() == before
    with pytest.raises(UserError, match=r"holds a run with method.max_components=20, this command has .*=21"):
        baseline(*PLS_DA, "method.max_components=21")


def test_a_stopped_baseline_starts_from_scratch(baseline: Callable[..., Path]) -> None:
    folder = baseline(*PLS_DA)
    expected = result(folder)
    (folder / "result.json").unlink()
    assert result(baseline(*PLS_DA)) == expected


def test_a_test_split_that_was_held_back_is_scored_later(baseline: Callable[..., Path]) -> None:
    expected = result(baseline(*PLS_DA, folder="whole"))
    folder = baseline(*PLS_DA, "score_test=false")
    assert not any(name.startswith("test/") for name in result(folder))
    assert set(pd.read_parquet(folder / "predictions.parquet")["split"]) == {"validation"}
    assert result(baseline(*PLS_DA, "score_test=true")) == expected


@pytest.mark.slow
def test_probabilities_stand_at_the_shares_that_the_rule_corrects_from(baseline: Callable[..., Path]) -> None:
    """Corrected to the survey's shares, balanced probabilities call more spectra stars, the others the same."""

    def stars(class_weight: str, rule: str) -> list[bool]:
        options = ["method.num_trees=30", "method.min_leaf=5", f"method.class_weight={class_weight}"]
        name = f"{class_weight}-{rule}"
        folder = baseline("method=random_forest", *options, f"decision.prior_correction={rule}", folder=name)
        return list(pd.read_parquet(folder / "predictions.parquet")["predicted"] == "star")

    assert sum(stars("balanced", "true")) > sum(stars("balanced", "false"))
    assert stars("none", "true") == stars("none", "false")


@pytest.mark.parametrize("method", ["pls_da", "random_forest", "boosting"])
def test_few_spectra_of_a_class_are_enough(method: str, tmp_path: Path) -> None:
    """Two training spectra of a class, a pixel that is always the same, and a masked one that is no number."""
    given = arrays(num=100)
    rare = np.flatnonzero(given["label"] == "qso")[6:]
    given["label"][rare] = "star"
    given["flux"][:, 40] = 0.0
    given["flux"][3, 50] = np.nan
    np.savez(tmp_path / "few.npz", **given)
    overrides = [f"method={method}", "data=arrays", f"data.path={tmp_path / 'few.npz'}", "data.num_workers=1"]
    options = {"random_forest": ["method.num_trees=5"], "boosting": ["method.max_iter=3"]}.get(method, [])
    places = [f"run_dir={tmp_path / 'run'}", f"cache_dir={tmp_path / 'cache'}", "transform=none", "data.nan=mask"]
    with contextlib.redirect_stdout(io.StringIO()):
        run_baseline(composed([*overrides, *options, *QUICK, *places], "baseline"))
    assert 0 <= result(tmp_path / "run")["val/macro_f1"] <= 1


def test_components_are_chosen_on_other_objects_than_they_were_fitted_to() -> None:
    class Watching(PLSThenLDA):
        """Its first pixel is the number of the object."""

        def fit(self, table: Any, labels: Any) -> PLSThenLDA:
            self.known = set(table[:, 0])
            return super().fit(table, labels)

        def scores(self, table: Any) -> Any:
            assert set(table[:, 0]) in (self.known, set(table[:, 0]) - self.known)
            return super().scores(table)

    random = np.random.default_rng(0)
    objects = random.integers(0, 40, 120)
    labels = (objects % 3 == 0).astype(np.int64)
    table = np.column_stack([objects, random.normal(labels[:, None], size=(120, 8))])
    most = Watching(4, autoscale=False, balanced=True)
    assert best_num_components(most, table, labels, 0, objects) >= 1
    with pytest.raises(AssertionError):
        best_num_components(most, table, labels, 0)
    for too_few in (np.zeros(120, dtype=np.int64), labels):  # one object, and one of each class
        assert best_num_components(most, table, labels, 0, too_few) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["method=pls_db"], None),
        (
            ["method=boosting", "method.learning_rate=0"],
            "method.learning_rate=0.0 is out of range: ",
        ),
        (["method=boosting", "method.class_weight=equal"], "method.class_weight=equal is not known: "),
        (["objective=train/loss"], "objective=train/loss is no score of a baseline: allowed are val/macro_f1"),
        (["split.validation=0"], "objective=val/macro_f1 needs validation spectra"),
        (["run_dir="], "run_dir= is not a folder"),
    ],
    ids=["name", "range", "choice", "objective", "no-validation", "no-folder"],
)
def test_a_mistake_ends_in_a_sentence(given: list[str], sentence: str | None, baseline: Callable[..., Path]) -> None:
    if sentence is None:
        with pytest.raises(MissingConfigException) as unknown:  # for which run_command has a sentence
            baseline(*given)
        assert hydra_sentence(unknown.value).startswith("method=pls_db is not known: did you mean 'pls_da'? ")
        return
    with pytest.raises(UserError) as error:
        baseline(*given)
    assert str(error.value).startswith(sentence)


def test_what_needs_a_network_says_that_a_baseline_has_none(
    baseline: Callable[..., Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = baseline(*PLS_DA)
    tail = "is a baseline (method=pls_da): it keeps no model, only its scores and predictions."
    applied = ("data=arrays", "data.path=never.npz")
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("run", lambda: load_run(folder)),
        ("run", lambda: command("evaluate", f"run={folder}")),
        ("run", lambda: command("predict", f"run={folder}", *applied, f"out={tmp_path / 'out.csv'}")),
        ("run", lambda: command("export", f"run={folder}", f"out={tmp_path / 'out.onnx'}")),
        ("run", lambda: command("export", f"run={folder}", f"out={tmp_path / 'card.md'}")),
        ("init", lambda: run(small(f"init={folder}"))),
        ("distill", lambda: run(small(f"distill={folder}"))),
    ]
    for key, attempt in attempts:
        with pytest.raises(UserError) as error:
            attempt()
        assert str(error.value) == f"{key}={folder} {tail}"


def test_augmentations_that_a_baseline_does_not_use_are_named(
    baseline: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    baseline(*PLS_DA, "inputs.augmentations=[gain]")
    assert "inputs.augmentations does nothing: a baseline" in caplog.text


@pytest.mark.parametrize("given", ["inputs.channels=[snr]", "inputs.augmentations=[{name: noise, error: ivar}]"])
def test_what_needs_inverse_variances_is_refused_before_a_folder_is_taken(
    given: str, baseline: Callable[..., Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    needs = "needs inverse variances and the data has none"
    with pytest.raises(UserError, match=needs):
        run(small(given))
    assert not (tmp_path / "run").exists()
    if "channels" in given:  # a baseline leaves the augmentations out
        with pytest.raises(UserError, match=needs):
            baseline("method=pls_da", given)
        assert not (tmp_path / "baseline").exists()


def test_a_folder_belongs_to_a_network_or_to_a_baseline(
    baseline: Callable[..., Path], small: Callable[..., list[str]]
) -> None:
    baseline(*PLS_DA, folder="run")
    with pytest.raises(UserError, match="holds a baseline, and this command trains a network: give another run_dir"):
        run(small())


def test_a_baseline_without_what_its_result_needs_is_refused(baseline: Callable[..., Path]) -> None:
    folder = baseline(*PLS_DA)
    stored = json.loads((folder / "result.json").read_text())
    del stored["confusion"]
    (folder / "result.json").write_text(json.dumps(stored))
    with pytest.raises(UserError, match="it lacks confusion"):
        RunFolder(folder).load_result()


def test_spectra_that_are_all_the_same_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "same.npz", flux=np.ones((40, 12)), label=np.array(["a", "b"] * 20))
    data = [
        "data=arrays",
        f"data.path={tmp_path / 'same.npz'}",
        f"cache_dir={tmp_path / 'cache'}",
        "data.num_workers=1",
    ]
    with pytest.raises(UserError, match="the training spectra are all the same"):
        run_baseline(composed([*data, *QUICK, f"run_dir={tmp_path / 'run'}", "method=pls_da"], "baseline"))
