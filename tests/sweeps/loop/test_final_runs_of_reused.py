"""Final runs of trials that reuse the result of another trial."""

from pathlib import Path
from typing import Any

from final_jobs import HELD, finals, score
from loop_runs import NO_TRIAL, open_study, sweep

from sweeps.report.read_study import read_report
from sweeps.results.final_trials import lacks_final
from sweeps.study.attributes import FINAL


def test_a_reused_trial_has_the_seeds_of_its_runs(tmp_path: Path) -> None:
    """The reference was drawn before it was enqueued: it is run to its end in the folders that it has."""
    options: dict[str, Any] = {"seeds": 2, **HELD}
    sweep(tmp_path, {"x": [1, 4]}, score, num_trials=6, num_slots=1, **options)
    ended = sweep(tmp_path, {"x": [1, 4]}, score, num_trials=7, enqueue=[{"x": 1}], **options)
    assert "reused_from" in ended.trials[6].user_attrs
    calls = [call for call in ended.launcher.calls if call.link is NO_TRIAL]
    assert sorted((call.folder.name, call.values["seed"]) for call in calls) == [("seed-0", 10), ("seed-1", 11)]


def test_a_reference_that_reuses_the_best_trial_is_that_trial(tmp_path: Path) -> None:
    """It has no final run of its own, and no row of its own in the report."""
    assert finals(sweep(tmp_path, {"x": [4]}, score, num_trials=1, **HELD)) == [(0, 4)]
    ended = sweep(tmp_path, {"x": [4]}, score, num_trials=2, enqueue=[{"x": 4}], **HELD)
    assert "reused_from" in ended.trials[1].user_attrs
    assert ended.launcher.calls == [] and ended.loop.is_finished
    assert read_report(str(tmp_path)).reference_number == 0


def test_a_reference_that_an_earlier_version_ran_to_its_end_as_the_trial_that_reuses_a_result_has_ended(
    tmp_path: Path,
) -> None:
    sweep(tmp_path, {"x": [1, 4]}, score, num_trials=6, num_slots=1, **HELD)
    options: dict[str, Any] = {"num_trials": 7, "enqueue": [{"x": 1}], **HELD}
    reused = sweep(tmp_path, {"x": [1, 4]}, score, **options).trials[6].user_attrs["reused_from"]
    study = open_study(tmp_path, {"x": [1, 4]}, **options)
    study.study.set_user_attr(f"{FINAL}{reused}", "")
    study.study.set_user_attr(f"{FINAL}6", "done")
    assert not lacks_final(study.study)
    study.close()
    assert finals(sweep(tmp_path, {"x": [1, 4]}, score, **options)) == []
