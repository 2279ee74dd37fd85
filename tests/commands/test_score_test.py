"""A test split that was held back, and scored later."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_runs import outcome, result, run

from spectral import score_test
from spectral.errors import UserError
from spectral.runs.folder import RunFolder

Overrides = Callable[..., list[str]]
SHORT = "schedule.stages.0.epochs=1"


def test_scores_added_later_equal_those_of_a_single_command(small: Overrides, tmp_path: Path) -> None:
    rule = ["decision=macro_f1"]
    run([*small(folder="whole"), *rule])
    run([*small(folder="held"), *rule, "score_test=false"])
    held = result(tmp_path / "held")
    assert not [key for key in held if key.startswith("test/")] and list(held["confusion"]) == ["val", "val/decision"]
    assert set(pd.read_parquet(tmp_path / "held" / "predictions.parquet")["split"]) == {"validation"}
    run([*small(folder="held"), *rule])
    assert outcome(tmp_path / "held") == outcome(tmp_path / "whole")
    predictions = [pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("held", "whole")]
    pd.testing.assert_frame_equal(*predictions)


@pytest.mark.slow
def test_a_run_without_validation_is_scored_later_too(small: Overrides, tmp_path: Path) -> None:
    short = ["split.validation=0", "objective=train/loss", "schedule.stages.0.epochs=1"]
    run([*small(folder="whole"), *short])
    run([*small(folder="held"), *short, "score_test=false"])
    held = RunFolder(tmp_path / "held").load_predictions()
    assert held.empty and {"id", "split", "label", "predicted", "probability/qso"} <= set(held)
    run([*small(folder="held"), *short])
    assert outcome(tmp_path / "held") == outcome(tmp_path / "whole")
    predictions = [pd.read_parquet(tmp_path / name / "predictions.parquet") for name in ("held", "whole")]
    pd.testing.assert_frame_equal(*predictions)


@pytest.mark.slow
def test_pictures_are_drawn_of_what_was_scored(small: Overrides, tmp_path: Path) -> None:
    run([*small(folder="run"), "plots=true", "score_test=false"])
    before = (tmp_path / "run" / "plots" / "confusion.png").read_bytes()
    run([*small(folder="run"), "plots=true"])
    assert (tmp_path / "run" / "plots" / "confusion.png").read_bytes() != before


def test_a_kill_before_the_result_leaves_the_predictions_as_they_were(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the run is a member of an ensemble as before."""
    run([*small(SHORT, folder="run"), "score_test=false"])
    before = (tmp_path / "run" / "predictions.parquet").read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(score_test, "_plot", killed)
    with pytest.raises(KeyboardInterrupt):
        run([*small(SHORT, folder="run"), "plots=true"])
    assert (tmp_path / "run" / "predictions.parquet").read_bytes() == before


def test_a_test_split_that_was_scored_stays_scored(small: Overrides, tmp_path: Path) -> None:
    run(small(SHORT, folder="run"))
    before = (tmp_path / "run" / "result.json").read_bytes()
    run([*small(SHORT, folder="run"), "score_test=false"])
    run(small(SHORT, folder="run"))
    assert (tmp_path / "run" / "result.json").read_bytes() == before


def test_other_spectra_and_another_split_of_them_are_refused(small: Overrides, tmp_path: Path) -> None:
    run([*small(SHORT, folder="run"), "score_test=false"])
    result_file, predictions = tmp_path / "run" / "result.json", tmp_path / "run" / "predictions.parquet"
    content, frame = json.loads(result_file.read_text()), pd.read_parquet(predictions)
    elsewhere = min({f"s{row:03d}" for row in range(120)} - {*frame["id"]})
    frame.assign(id=[elsewhere, *frame["id"][1:]]).to_parquet(predictions, index=False)
    with pytest.raises(UserError, match="are divided otherwise than when it was trained"):
        run(small(SHORT, folder="run"))
    assert json.loads(result_file.read_text()) == content
    content["survey"]["fingerprint"] = "another"
    result_file.write_text(json.dumps(content))
    with pytest.raises(UserError, match="the survey has changed since the run"):
        run(small(SHORT, folder="run"))
