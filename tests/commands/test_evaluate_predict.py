"""A finished run applied to spectra, by the commands' own main functions called in this process."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import NUM, ON_CPU, evaluate, predict
from small_runs import CLASSES, arrays, composed, result

from spectral.configs.commands import EvaluateConfig, typed_command
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.evaluation import Evaluation
from spectral.inference.evaluation import evaluate as found
from spectral.runs.folder import RunFolder
from sweeps.compare import command as compare


def evaluation(run_folder: Path, *overrides: str) -> Evaluation:
    """What evaluate would print and write."""
    given = [f"run={run_folder}", *ON_CPU, *overrides]
    return found(typed_command(composed(given, "evaluate"), EvaluateConfig, ""))


def scores(run_folder: Path, on: str) -> dict[str, Any]:
    """The scores of a part of the run's own survey."""
    return {name: value for name, value in evaluation(run_folder, f"on={on}").result.items() if "/" in name}


def test_evaluation_gives_the_numbers_of_the_result(finished: Path) -> None:
    for on, prefix in (("test", "test/"), ("validation", "val/")):
        found = scores(finished, on)
        expected = {name: value for name, value in result(finished).items() if name.startswith(prefix)}
        assert expected.keys() - found.keys() <= {"val/loss"}  # of training
        for name, value in found.items():
            assert value == pytest.approx(expected[name], abs=1e-6), name


def test_a_fitted_rule_is_scored_on_validation_as_in_training(finished: Path) -> None:
    """By rules that were fitted to other spectra: the run's own rule was fitted to these."""
    folder = RunFolder(finished)
    rule, stored = Classifier.load(folder).build_decision(), pd.read_parquet(folder.predictions)
    stored = stored[stored["split"] == "validation"].sort_values("id")
    found = evaluation(finished, "on=validation").predictions.sort_values("id")
    assert found["predicted"].tolist() == stored["predicted"].tolist()
    assert rule.num_iterations > 0


def test_classes_that_the_data_does_not_have_count_for_nothing(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Galaxies alone are left out, and a class that is declared but has no spectrum is not refused."""
    labels = arrays(num=NUM)["label"]
    path = spectra(label=np.where(labels == "galaxy", "", labels))
    given = "data=arrays", f"data.path={path}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"
    found = evaluation(finished, *given, "data.class_names=[star,galaxy,qso,comet]")
    by_class = [found.result[f"all/f1/{name}"] for name in ("star", "qso")]
    assert found.result["all/macro_f1"] == pytest.approx(np.mean(by_class))
    assert found.result["all/num_classes"] == 2
    evaluate(finished, *given)
    assert "It is the mean over 2 of 3 classes: all has no galaxy." in capsys.readouterr().out


@pytest.mark.slow
def test_capitals_of_the_classes_of_other_data_do_not_matter(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    given = "data=arrays", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"
    expected = evaluation(finished, *given, f"data.path={spectra()}").result["all/macro_f1"]
    labels = np.char.upper(arrays(num=NUM)["label"])
    assert evaluation(finished, *given, f"data.path={spectra(label=labels)}").result["all/macro_f1"] == expected


def test_an_evaluation_is_kept_and_two_are_compared(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = "data=arrays", f"data.path={spectra()}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"
    other = tmp_path / "other"
    shutil.copytree(finished, other)
    (other / "config.yaml").write_text((other / "config.yaml").read_text().replace("lr: 0.01", "lr: 0.02"))
    content = json.loads((other / "model.json").read_text())
    content["decision_state"]["offset"][0] += 10.0  # never a star
    (other / "model.json").write_text(json.dumps(content))
    evaluate(finished, *given, f"out={tmp_path / 'a'}")
    evaluate(other, *given, f"out={tmp_path / 'b'}")
    capsys.readouterr()
    assert compare.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    shown = capsys.readouterr().out
    assert "optimizer.lr" in shown and "all/decision/macro_f1 of" in shown and "on the same 50 spectra" in shown
    assert f"is clear of zero: {tmp_path / 'a'} is better on these spectra." in shown
    table = pd.read_parquet(tmp_path / "a" / "predictions.parquet")
    assert list(table)[:4] == ["id", "split", "label", "predicted"] and len(table) == NUM
    with pytest.raises(UserError, match="is the folder of a run"):
        evaluate(finished, *given, f"out={other}")


def test_columns_of_the_data_are_kept_if_asked_for(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data = spectra(snr=np.arange(NUM) / 2, redshift=np.arange(NUM) / 100)
    predict(finished, data, tmp_path / "all.csv", "keep_columns=true")
    table = pd.read_csv(tmp_path / "all.csv")
    assert list(table) == ["id", "predicted", "problem", "label", "snr", "redshift"]
    assert table["label"].tolist() == arrays(num=NUM, seed=5)["label"].tolist()
    predict(finished, data, tmp_path / "some.parquet", "keep_columns=[snr]")
    kept = pd.read_parquet(tmp_path / "some.parquet")
    assert list(kept)[-1] == "snr" and kept["snr"].tolist() == (np.arange(NUM) / 2).tolist()
    with pytest.raises(UserError, match=r"keep_columns=snt is no column .*did you mean 'snr'"):
        predict(finished, data, tmp_path / "no.csv", "keep_columns=[snt]")
    with pytest.raises(UserError, match="format=contest does not have"):
        predict(finished, data, tmp_path / "no.csv", "keep_columns=true", "format=contest")


def test_evaluation_prints_the_split_that_was_scored(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(finished)
    shown = capsys.readouterr().out
    assert f"test macro-F1 {result(finished)['test/macro_f1']:.4f}" in shown
    assert all(name in shown for name in CLASSES)
    evaluate(finished, "on=validation")
    assert "validation macro-F1" in capsys.readouterr().out


def test_other_data_is_scored_without_a_split(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = arrays(num=NUM)["label"]
    path = spectra(label=np.where(np.arange(NUM) < 8, labels, ""))
    cache = f"cache_dir={tmp_path / 'cache'}"
    evaluate(finished, "data=arrays", f"data.path={path}", "data.num_workers=1", cache)
    shown = capsys.readouterr().out
    assert "all macro-F1" in shown and " 8 " in shown  # the labelled ones


@pytest.mark.slow
def test_a_run_whose_data_is_divided_otherwise_by_now_is_scored_as_a_whole_alone(
    finished: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(finished, tmp_path / "own")
    frame = pd.read_parquet(own / "predictions.parquet")
    frame["split"] = frame["split"].map({"validation": "test", "test": "validation"})
    frame.to_parquet(own / "predictions.parquet", index=False)
    for on in ("auto", "train", "validation", "test"):
        with pytest.raises(UserError, match="are divided otherwise than when it was trained: give the cache_dir"):
            evaluation(own, f"on={on}")
    assert evaluation(own, "on=all").result["all/num_spectra"] == 120


def test_a_test_split_of_the_data_that_the_run_did_not_use_is_warned_of(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = spectra(split=np.where(np.arange(NUM) < 25, "train", "test"))
    given = "data=arrays", f"data.path={path}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}", "on=test"
    own = shutil.copytree(finished, tmp_path / "own")
    content, config = json.loads((own / "result.json").read_text()), (own / "config.yaml").read_text()
    content["survey"]["fingerprint"] = evaluation(finished, *given).result["survey"]["fingerprint"]
    (own / "result.json").write_text(json.dumps(content))
    assert "flattered" not in caplog.text
    evaluation(own, *given)
    assert "it was trained on some of them, so its scores are flattered" in caplog.text
    caplog.clear()
    (own / "config.yaml").write_text(config.replace("name: stratified", "name: given"))
    evaluation(own, *given)
    assert "flattered" not in caplog.text


def test_the_contest_format_has_no_header_and_every_row_in_order(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data = spectra(label=None)
    predict(finished, data, tmp_path / "result.csv", "format=contest")
    lines = (tmp_path / "result.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [f"s{row:03d}" for row in range(NUM)]
    assert {line.split(",")[1] for line in lines} <= set(CLASSES)
    truth = arrays(num=NUM, seed=5)["label"]
    assert np.mean([line.split(",")[1] == label for line, label in zip(lines, truth, strict=True)]) > 0.8


def test_probabilities_sum_to_one_and_formats_agree(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data = spectra()
    predict(finished, data, tmp_path / "p.csv", "format=probabilities")
    predict(finished, data, tmp_path / "p.parquet")
    predict(finished, data, tmp_path / "result.csv")
    csv, parquet = pd.read_csv(tmp_path / "p.csv"), pd.read_parquet(tmp_path / "p.parquet")
    classes = pd.read_csv(tmp_path / "result.csv")
    columns = [f"probability/{name}" for name in CLASSES]
    assert list(csv) == list(parquet) == ["id", "predicted", *columns, "entropy", "problem"]
    np.testing.assert_allclose(csv[columns].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(csv[columns], parquet[columns], atol=1e-6)
    assert csv["id"].tolist() == parquet["id"].tolist() == classes["id"].tolist() == [f"s{i:03d}" for i in range(NUM)]
    assert csv["predicted"].tolist() == parquet["predicted"].tolist() == classes["predicted"].tolist()


@pytest.mark.slow
def test_the_batch_size_changes_nothing(finished: Path, spectra: Callable[..., Path], tmp_path: Path) -> None:
    data = spectra()
    predict(finished, data, tmp_path / "a.parquet", "evaluate_batch_size=7")
    predict(finished, data, tmp_path / "b.parquet", "evaluate_batch_size=1000")
    a, b = pd.read_parquet(tmp_path / "a.parquet"), pd.read_parquet(tmp_path / "b.parquet")
    pd.testing.assert_frame_equal(a, b, rtol=0, atol=1e-6)


def test_padding_shorter_spectra_changes_no_prediction(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """80 of 96 pixels classify as all 96 with the last 16 marked as bad, and a warning says so."""
    content = arrays(num=NUM, seed=5)
    mask = np.arange(96) >= 80
    predict(finished, spectra(flux=content["flux"][:, :80], wave=content["wave"][:80]), tmp_path / "short.parquet")
    assert "trained on 96: the last 16 count as bad pixels." in caplog.text
    predict(finished, spectra(mask=np.tile(mask, (NUM, 1))), tmp_path / "masked.parquet")
    short, masked = pd.read_parquet(tmp_path / "short.parquet"), pd.read_parquet(tmp_path / "masked.parquet")
    pd.testing.assert_frame_equal(short, masked, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"flux": np.zeros((NUM, 97), np.float32), "wave": None}, r"has 97 pixels per spectrum, .* trained on 96"),
        ({"flux": np.zeros((NUM, 2, 96), np.float32)}, r"has 2 channels, .* needs 1"),
        (
            {"wave": np.linspace(5000.0, 6000.0, 96)},
            r"5000\.0 to 6000\.0 Angstrom .*, are not those of .* 4000\.0 to 5000\.0",
        ),
        (
            {"flux": np.zeros((NUM, 80), np.float32), "wave": np.linspace(4000.0, 5000.0, 96)[16:]},
            r"4168\.4 to 5000\.0 Angstrom in 80 pixels, are not those of .* in 96 pixels: resample",
        ),
        (
            {"flux": np.zeros((NUM, 80), np.float32), "wave": None},
            r"has 80 pixels per spectrum, .* trained on 96 from 4000\.0 .* and the data has no wavelengths: give it",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused(
    changes: dict[str, Any], sentence: str, finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        predict(finished, spectra(**changes), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_data_without_wavelengths_is_warned_of_in_the_log_and_last(
    finished: Path,
    spectra: Callable[..., Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentence = f"The data has no wavelengths: its pixels are taken for those of run={finished}, 4000.0 to 5000.0"
    data = spectra(wave=None)
    predict(finished, data, tmp_path / "classes.csv")
    assert [record.levelname for record in caplog.records if sentence in record.message] == ["WARNING"]
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"Note: {sentence}")
    given = "data=arrays", f"data.path={data}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"
    evaluate(finished, *given, f"out={tmp_path / 'scores'}")
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"Note: {sentence}")
    assert result(tmp_path / "scores")["survey"]["doubt"].startswith(sentence)
    evaluate(finished)
    assert "Note:" not in capsys.readouterr().out


def test_a_class_unknown_to_the_run_can_be_predicted_on_but_not_scored(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    data = spectra(label=np.where(np.arange(NUM) == 3, "galaxies", arrays(num=NUM)["label"]))
    predict(finished, data, tmp_path / "out.csv")
    cache = f"cache_dir={tmp_path / 'cache'}"
    with pytest.raises(UserError, match="the class 'galaxies', the run does not: did you mean 'galaxy'"):
        evaluate(finished, "data=arrays", f"data.path={data}", "data.num_workers=1", cache)


def test_the_run_folder_alone_suffices(finished: Path, spectra: Callable[..., Path], tmp_path: Path) -> None:
    """The folder is moved, and its config names another network and transform: only model.json counts."""
    data = spectra()
    predict(finished, data, tmp_path / "before.parquet")
    moved = tmp_path / "else where" / "moved"
    shutil.copytree(finished, moved)
    (moved / "config.yaml").write_text((moved / "config.yaml").read_text().replace("standardize", "l2"))
    for name in ("last.ckpt", "metrics.jsonl", "result.json", "predictions.parquet"):
        (moved / name).unlink()
    predict(moved, data, tmp_path / "after.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "before.parquet"), pd.read_parquet(tmp_path / "after.parquet")
    )
