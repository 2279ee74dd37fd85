"""The lines that a sweep prints before its first trial."""

from pathlib import Path
from typing import Any

import pytest
from loop_runs import open_study, sweep
from omegaconf import OmegaConf
from optuna.trial import TrialState
from search_runs import run

from sweeps.console.startup_lines import startup_lines
from sweeps.planning.checks import typed_sweep
from sweeps.planning.plan import plan_of
from sweeps.results.final_trials import final_trials
from sweeps.space import Space, read_constraints
from sweeps.storage.connect import open_storage
from sweeps.study.shared_study import SharedStudy

FLOATS = {"x": {"low": 0.0, "high": 1.0}}
BOUND = {"x": {"at_most": 0.5}}


@pytest.fixture(autouse=True)
def _fresh_storages() -> None:
    open_storage.cache_clear()


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "num_trials"),
    [
        (["x=1,2"], {}, "grid", 2),
        (["x=1,2"], {"num_trials": 7}, "grid", 2),
        (["x=1,2", "y=range(3)"], {"num_trials": 4}, "grid", 4),
        (["x=1,2"], {"sampler": "random"}, "grid", 2),
        (["x=1,2"], {"sampler": "random", "num_trials": 7}, "trial", 7),
        (["x=1,2", "y=interval(0.0,1.0)"], {"num_trials": 7}, "trial", 7),
        (["x=1,2"], {"space": {"y": [1, 2]}}, "trial", 20),
        ([], {"space": {"y": [1, 2]}, "sampler": "grid"}, "grid", 2),
    ],
)
def test_choices_alone_are_a_grid_at_any_number(
    arguments: list[str], options: dict[str, Any], kind: str, num_trials: int
) -> None:
    sweep = typed_sweep(options)
    plan = plan_of(sweep, Space.read(sweep.space, arguments), OmegaConf.create({}))
    assert (plan.kind, plan.num_trials) == (kind, num_trials)


def stands(study: SharedStudy) -> str:
    return next(iter(startup_lines(study, study.config, [])))


def lines(folder: Path, **options: Any) -> list[str]:
    """The startup lines, without the one about the state of the study."""
    study = open_study(folder, options.pop("space", FLOATS), **options)
    try:
        return list(startup_lines(study, typed_sweep(options), read_constraints(options.get("constraints"))))[1:]
    finally:
        study.close()


def test_no_line_is_printed_if_there_is_nothing_to_report(tmp_path: Path) -> None:
    assert lines(tmp_path, num_trials=3, constraints=BOUND) == []
    assert lines(tmp_path / "other", num_trials=3, sampler="cmaes") == []


def test_what_is_enqueued_in_a_full_study_is_reported_and_is_not_its_reference(tmp_path: Path) -> None:
    options: dict[str, Any] = {"num_trials": 2, "enqueue": [{"x": 0.1}]}
    sweep(tmp_path, FLOATS, lambda call: -float(call.folder.name), **options)  # the second trial is the best
    assert lines(tmp_path, **options) == []
    said = "1 configuration of sweep.enqueue is not run: the total of the study is 2, and a higher sweep.num_trials"
    assert lines(tmp_path, **options | {"enqueue": [{"x": 0.5}, {"x": 0.1}]}) == [f"{said} adds trials."]
    study = open_study(tmp_path, FLOATS, **options | {"enqueue": [{"x": 0.5}]})
    study.close()
    assert [trial.number for trial in final_trials(study.study)] == [1, 0]


def test_what_is_enqueued_beyond_the_total_is_reported_before_anything_runs(tmp_path: Path) -> None:
    enqueue = [{"x": 0.1}, {"x": 0.2}, {"x": 0.3}]
    are = "2 configurations of sweep.enqueue are not run"
    (line,) = lines(tmp_path, num_trials=1, enqueue=enqueue)
    assert line == f"{are}: the total of the study is 1, and a higher sweep.num_trials adds trials."
    assert lines(tmp_path, num_trials=3, enqueue=enqueue) == []


def test_a_number_above_the_size_of_the_grid_is_reported(tmp_path: Path) -> None:
    study = open_study(tmp_path, {"x": [1, 2]}, sampler="grid")
    study.close()
    asked = typed_sweep({"num_trials": 7})
    (_, line) = startup_lines(study, asked, [])
    assert line == "sweep.num_trials=7 is more than the grid's 2 configurations: each configuration is run once."


@pytest.mark.parametrize(
    "summary", ['{"counts": {"complete": 2, "fail": 1}}', '{"counts": {"fail": 0}}', "[1]", "", "{"]
)
def test_trials_of_a_journal_that_was_lost_are_reported(summary: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(summary)
    lost = f"{tmp_path / 'sweep.json'} lists 3 trials, but study.journal was new or empty: they are run again. "
    advice = "If you have a copy, stop, put it back, and give the same command."
    assert lines(tmp_path, num_trials=3) == ([lost + advice] if '"fail": 1' in summary else [])


def test_a_number_below_the_existing_trials_is_reported(tmp_path: Path) -> None:
    sweep(tmp_path, FLOATS, lambda call: call.values["x"], num_trials=3)
    assert lines(tmp_path, num_trials=3) == []
    assert lines(tmp_path, num_trials=2) == ["The study already has 3 trials, more than the 2 that are asked for."]


def test_constraints_that_a_sampler_ignores_are_reported_once(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, num_trials=3, sampler="cmaes", constraints=BOUND)
    assert line == "sweep.sampler=cmaes learns nothing from sweep.constraints; they are still enforced."


def test_the_first_line_says_whether_a_study_starts_resumes_or_is_finished(tmp_path: Path) -> None:
    study = open_study(tmp_path, FLOATS, num_trials=2)
    assert stands(study) == "The study study begins."
    claimed = study.claim()
    assert claimed is not None
    study.give_back(claimed)
    assert stands(study) == "The study study resumes: 0 of 2 trials have ended."
    study.close()
    sweep(tmp_path, FLOATS, lambda call: call.values["x"], num_trials=2)
    for total, line in ((2, "is finished: 2 of 2 trials have ended."), (3, "resumes: 2 of 3 trials have ended.")):
        study = open_study(tmp_path, FLOATS, num_trials=total)
        assert stands(study) == f"The study study {line}"
        study.close()


def test_a_study_without_its_final_scores_resumes(tmp_path: Path) -> None:
    study = open_study(tmp_path, FLOATS, num_trials=1, search_overrides=["held=true"])
    claimed = study.claim()
    assert claimed is not None
    study.finish(claimed, TrialState.COMPLETE, [1.0])
    assert stands(study) == "The study study resumes: 1 of 1 trials have ended, and scores on the test split are left."
    study.note_final(0, is_done=True)
    assert stands(study) == "The study study is finished: 1 of 1 trials have ended."
    study.close()


def test_what_seeds_are_comes_after_the_state_of_the_study(tmp_path: Path) -> None:
    output = run(tmp_path / "mine", "sweep.space={}", "sweep.seed_key=x", "x=1,2")
    first, second, *_ = output.splitlines()
    assert first == "The study mine begins." and second.startswith("Each configuration is run with x=1,2 ")
