"""The final runs of a study: its best configuration is run again without the search's own overrides."""

import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from final_jobs import HELD, SPACE, finals, score
from loop_runs import NO_TRIAL, Call, ThreadLauncher, open_study, sweep, with_result
from search_runs import REPOSITORY, finish, start, trials
from small_runs import OVERRIDES

from sweeps.console.summary import summarize
from sweeps.launchers.contract import WorkerLost
from sweeps.loop.display import Display
from sweeps.loop.trial_run import Job
from sweeps.study.attributes import FINAL


def test_the_best_and_the_reference_are_run_again_without_the_search_overrides(tmp_path: Path) -> None:
    ended = sweep(tmp_path, SPACE, score, num_trials=6, enqueue=[{"x": 2}], **HELD)
    best = max(ended.trials, key=lambda trial: (trial.values[0], -trial.number))
    assert finals(ended) == [(best.number, best.values[0]), (0, 2)]
    assert len(ended.trials) == 6
    folders = {call.folder for call in ended.launcher.calls}
    assert folders == {Path(t.user_attrs["run_dir"]) for t in ended.trials}


def test_final_runs_are_repeated_only_for_a_new_best(tmp_path: Path) -> None:
    options: dict[str, Any] = {"enqueue": [{"x": 8}], **HELD}
    assert finals(sweep(tmp_path, SPACE, score, num_trials=1, **options)) == [(0, 8)]
    assert finals(sweep(tmp_path, SPACE, score, num_trials=1, **options)) == []
    more = {**options, "enqueue": [{"x": 8}, {"x": 9}]}
    assert finals(sweep(tmp_path, SPACE, score, num_trials=2, **more)) == [(1, 9)]


def test_the_first_enqueued_configuration_is_the_reference_whichever_command_enqueued_it(tmp_path: Path) -> None:
    assert finals(sweep(tmp_path, SPACE, score, num_trials=1, enqueue=[{"x": 9}], **HELD)) == [(0, 9)]
    enqueue = [{"x": 4}, {"x": 9}]
    assert finals(sweep(tmp_path, SPACE, score, num_trials=2, enqueue=enqueue, **HELD)) == [(1, 4)]


def test_each_seed_has_its_own_final_run(tmp_path: Path) -> None:
    ended = sweep(tmp_path, {"x": [4]}, score, num_trials=1, seeds=3, **HELD)
    folders = [call.folder.name for call in ended.launcher.calls if "score_test" not in call.values]
    assert sorted(folders) == ["seed-0", "seed-1", "seed-2"]


def test_several_seeds_report_their_mean_and_spread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def with_test_score(call: Call) -> float:
        numbers = {"test/score": call.values["seed"] / 10} if call.link is NO_TRIAL else {}
        (call.folder / "result.json").write_text(json.dumps(numbers))
        return score(call)

    options: dict[str, Any] = {"num_trials": 1, "objective": "val/score", **HELD}
    for seeds, values, shown in ((2, [1.0, 1.1], "1.0500 ± 0.0707 over 2 seeds"), ([7], [0.7], "0.7000")):
        folder = tmp_path / shown
        sweep(folder, {"x": [4]}, with_test_score, seeds=seeds, **options)
        study = open_study(folder, {"x": [4]}, seeds=seeds, **options)
        summarize(study, folder)
        study.close()
        lines = capsys.readouterr().out.splitlines()
        assert f"trial 0 on the test split: test/score {shown}" in lines
        assert json.loads((folder / "sweep.json").read_text())["final"][0]["test"] == {"test/score": values}
        best = next(k for k, line in enumerate(lines) if line.startswith("best: "))
        first, named = ("10", "10,11") if seeds == 2 else ("7", "7")
        assert lines[best].endswith(f" x=4 seed={first}")
        assert lines[best + 1] == f"It runs seed {first}; the trial was scored with seed={named}."


@pytest.mark.parametrize(
    ("objective", "shown"),
    [("train/loss", "test/macro_f1 0.6000"), (["train/loss", "val/accuracy"], "test/accuracy 0.7000")],
)
def test_a_training_loss_is_no_score_of_the_test_split(
    objective: Any, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def with_scores(call: Call) -> Any:
        numbers = {"train/loss": 0.03, "test/accuracy": 0.7, "test/macro_f1": 0.6}
        (call.folder / "result.json").write_text(json.dumps(numbers))
        return 0.03 if isinstance(objective, str) else [0.03, 0.8]

    options = HELD | {"objective": objective, "direction": None}
    sweep(tmp_path, {"x": [4]}, with_scores, num_trials=1, **options)
    study = open_study(tmp_path, {"x": [4]}, num_trials=1, **options)
    summarize(study, tmp_path)
    study.close()
    assert list(json.loads((tmp_path / "sweep.json").read_text())["final"][0]["test"]) == [shown.split()[0]]
    lines = [line for line in capsys.readouterr().out.splitlines() if "on the test split" in line]
    assert lines == [f"trial 0 on the test split: {shown}"]


def test_final_runs_are_among_the_jobs_that_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Job] = []
    monkeypatch.setattr(Display, "tick", lambda _display, jobs, _launcher: shown.extend(jobs))
    sweep(tmp_path, {"x": [4]}, score, num_trials=1, **HELD)
    last = [job.run.configuration for job in shown if "score_test=false" not in job.overrides]
    assert last and last[0] == {"x": 4}


def test_final_runs_are_recorded_before_they_start(tmp_path: Path) -> None:
    kinds: list[str] = []

    def look(call: Call) -> float:
        if call.link is NO_TRIAL:
            kinds.append(json.loads((call.folder / "trial.json").read_text())["kind"])
        return score(call)

    ended = sweep(tmp_path, {"x": [2, 4, 6, 8]}, look, enqueue=[{"x": 2}], **HELD | {"sampler": "grid"})
    assert kinds == ["final", "final"]
    records = [json.loads((tmp_path / str(n) / "trial.json").read_text()) for n in range(4)]
    final = {number for number, _ in finals(ended)}
    assert {n for n, record in enumerate(records) if record["kind"] == "final"} == final
    assert {record["state"] for record in records} == {"complete"}


def test_a_corrupt_result_is_reported_and_its_score_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(tmp_path, {"x": [4]}, score, num_trials=1, **HELD)
    corrupt = tmp_path / "0" / "result.json"
    corrupt.write_text('{"test/score":')
    study = open_study(tmp_path, {"x": [4]}, num_trials=1, **HELD)
    summarize(study, tmp_path)
    study.close()
    assert f"{corrupt} cannot be read: its test score is left out." in capsys.readouterr().out
    assert json.loads((tmp_path / "sweep.json").read_text())["final"][0]["test"] == {}


def test_a_final_trial_whose_folder_is_gone_has_no_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(tmp_path, {"x": [4]}, score, num_trials=1, **HELD)
    shutil.rmtree(tmp_path / "0")
    study = open_study(tmp_path, {"x": [4]}, num_trials=1, **HELD)
    summarize(study, tmp_path)
    study.close()
    assert "trial 0 on the test split: no score was found in " in capsys.readouterr().out
    assert json.loads((tmp_path / "sweep.json").read_text())["final"][0]["test"] == {}


def test_a_lost_worker_is_replaced_and_a_failed_final_run_is_left_to_the_next_command(tmp_path: Path) -> None:
    met: list[str] = []

    def breaks(call: Call) -> float:
        if "score_test" not in call.values:
            met.append("final")
            if len(met) == 1:
                raise WorkerLost("killed")
            if len(met) == 2:
                raise ValueError("no disk")
        return score(call)

    ended = sweep(tmp_path, {"x": [4]}, breaks, num_trials=1, **HELD)
    assert ended.states == ["COMPLETE"] and len(met) == 2
    assert "Trial 0 could not be run to its end: ValueError: no disk" in ended.output
    assert finals(sweep(tmp_path, {"x": [4]}, breaks, num_trials=1, **HELD)) == [(0, 4)]


def test_the_best_is_run_again_if_all_trials_of_the_last_command_fail(tmp_path: Path) -> None:
    """One that stops since all of its trials fail leaves trials. Here it leaves none."""

    def task(call: Call) -> float:
        if int(call.folder.name) == 0 and call.link is NO_TRIAL and len(list(tmp_path.glob("[0-9]"))) == 1:
            raise ValueError("left to the next command")
        if int(call.folder.name) > 0:
            raise ArithmeticError("as asked")
        return score(call)

    axis = {"x": {"low": 0.0, "high": 1.0}}
    assert not sweep(tmp_path, axis, task, num_trials=1, **HELD).loop.is_finished
    ended = sweep(tmp_path, axis, task, num_trials=4, num_slots=1, **HELD)
    assert ended.states == ["COMPLETE", "FAIL", "FAIL", "FAIL"] and ended.loop.is_finished
    assert [number for number, _ in finals(ended)] == [0]


def test_a_final_run_has_the_free_keys_of_its_command(tmp_path: Path) -> None:
    """Its trial has run on another machine, whose device is not here. A free key that is searched stays as it was."""
    options: dict[str, Any] = {"num_trials": 1, "free_keys": ["device", "tracker", "x"], **HELD}

    def task(call: Call) -> float:
        if call.link is NO_TRIAL and call.values["device"] == "cpu":
            raise ValueError("there is no such device")
        return score(call)

    begun = sweep(tmp_path, {"x": [4]}, task, arguments=["device=cpu", "tracker=none", "y=1"], **options)
    assert not begun.loop.is_finished
    ended = sweep(tmp_path, {"x": [4]}, task, arguments=["y=1", "device=cuda"], **options)
    assert [call.values for call in ended.launcher.calls] == [{"device": "cuda", "y": 1, "x": 4}]


def test_final_runs_of_another_controller_are_waited_for_and_taken_over_if_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"num_trials": 2, "enqueue": [{"x": 2}, {"x": 5}], **HELD}
    other = open_study(tmp_path, SPACE, **options)
    assert other.claim_final(0) and other.claim_final(1)

    waits: list[float] = []

    def sleep(seconds: float) -> None:
        if not waits:  # the other controller stops while the first check for it waits
            other.note_final(0, is_done=True)
            other.note_final(1, is_done=False)
        waits.append(seconds)
        time.sleep(0.05)

    monkeypatch.setattr("sweeps.loop.final_runs.time", SimpleNamespace(sleep=sleep))
    ended = sweep(tmp_path, SPACE, score, **options)
    assert finals(ended) == [(1, 5)]
    assert "Waiting for another controller to end the last runs of trial 1 and trial 0." in ended.output
    assert waits and other.has_final(0) and other.has_final(1)
    other.close()


def test_jobs_that_a_dead_controller_left_are_ended_before_its_final_run_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[str] = []

    def task(call: Call) -> float:
        if call.link is NO_TRIAL:
            met.append("final run")
            if len(met) == 1:
                raise ValueError("left to the next command")
        return score(call)

    sweep(tmp_path, SPACE, task, num_trials=1, **HELD)
    study = open_study(tmp_path, SPACE, num_trials=1, **HELD)
    study.study.set_user_attr(f"{FINAL}0", "dead")
    study.close()
    monkeypatch.setattr(ThreadLauncher, "end_jobs_of", lambda _self, name: met.append(f"jobs of {name} ended"))
    sweep(tmp_path, SPACE, task, num_trials=1, **HELD)
    assert met == ["final run", "jobs of dead ended", "final run"]


@pytest.mark.parametrize("lost", ["0", "0/seed-1", "0/seed-1/result.json"])
def test_a_trial_whose_runs_are_on_another_machine_is_left_to_it(lost: str, tmp_path: Path) -> None:
    """It would be trained again. Here its files are moved away between two commands."""

    def task(call: Call) -> float:
        (call.folder / "run.lock").touch()  # as a run of Spectral has it
        return with_result(call)

    options: dict[str, Any] = {"seeds": 2, "num_trials": 1, **HELD}
    sweep(tmp_path, {"x": [4]}, task, **options)
    study = open_study(tmp_path, {"x": [4]}, **options)
    study.study.set_user_attr(f"{FINAL}0", "")
    study.close()
    (tmp_path / lost).rename(tmp_path / "away")
    ended = sweep(tmp_path, {"x": [4]}, task, **options)
    lacking = tmp_path / "0" / ("seed-0" if lost == "0" else "seed-1")
    assert ended.launcher.calls == [] and not ended.loop.is_finished
    assert f"The last run of trial 0 is left to the machine that has its folder, since {lacking} " in ended.output
    (tmp_path / "away").rename(tmp_path / lost)
    assert len(sweep(tmp_path, {"x": [4]}, task, **options).launcher.calls) == 2


def test_another_program_needs_no_result_file_for_its_final_run(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text("x: 4")
        return 1.0

    ended = sweep(tmp_path, {"x": [4]}, task, num_trials=1, **HELD)
    assert len(ended.launcher.calls) == 2 and ended.loop.is_finished


def test_there_are_no_final_runs_if_none_are_asked_for(tmp_path: Path) -> None:
    assert len(sweep(tmp_path, SPACE, score, num_trials=3, sampler="random").launcher.calls) == 3


@pytest.mark.slow
def test_the_product_reads_the_test_split_of_the_best_run_alone(pack_folder: Path, tmp_path: Path) -> None:
    fixed = [option for option in OVERRIDES if not option.startswith("model.width")]
    folder = tmp_path / "grid"
    command = ["data=packed", f"data.folder={pack_folder}", *fixed, "model.width=4,6"]
    process = start(folder, *command, script=REPOSITORY / "run.py")
    output = finish(process)
    assert process.returncode == 0, output
    best = max(trials(folder), key=lambda trial: trial.values[0])
    results = [json.loads((folder / str(n) / "result.json").read_text()) for n in range(2)]
    assert [any(key.startswith("test/") for key in result) for result in results] == [
        n == best.number for n in range(2)
    ]
    (final,) = json.loads((folder / "sweep.json").read_text())["final"]
    assert final["number"] == best.number
    assert final["test"] == {"test/macro_f1": [results[best.number]["test/macro_f1"]]}
    assert f"on the test split: test/macro_f1 {results[best.number]['test/macro_f1']:.4f}" in output
