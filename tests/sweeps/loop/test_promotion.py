"""Trials that a rung stops are paused, and continue from their checkpoint once they are among the best."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import seeds
from loop_runs import Call, Sweep, open_study, sweep
from optuna import TrialPruned

from sweeps.job.reporter import Reporter
from sweeps.launchers.contract import WorkerLost
from sweeps.study.shared_study import SharedStudy

NUM_STEPS = 9
ASHA = {"pruner": "asha", "pruning": {"min_steps": 1, "reduction_factor": 3}, "promote": True}


def enqueued(values: list[float]) -> list[dict[str, float]]:
    return [{"x": value} for value in values]


class Training:
    """A task of nine steps, whose value is `score(x, step)`, with a checkpoint after each step."""

    def __init__(self, score: Any = lambda x, step: x) -> None:
        self.score, self.steps = score, list[tuple[float, int]]()

    def __call__(self, call: Call) -> float:
        x, checkpoint = float(call.values["x"]), call.folder / "step"
        reporter = Reporter(call.link)
        done = int(checkpoint.read_text()) if checkpoint.exists() else 0
        try:
            for step in range(done + 1, NUM_STEPS + 1):
                self.steps.append((x, step))
                checkpoint.write_text(str(step))
                reporter.report(step, self.score(x, step), is_last=step == NUM_STEPS)
        finally:
            reporter.close()
        return float(self.score(x, NUM_STEPS))

    def trained(self, x: float) -> list[int]:
        return [step for value, step in self.steps if value == x]


SPACE = {"x": {"low": 0.0, "high": 100.0}}


def run(folder: Path, task: Any, values: list[float], **options: Any) -> Sweep:
    given = {"num_slots": 1, "enqueue": enqueued(values), "num_trials": len(values), **ASHA, **options}
    return sweep(folder, SPACE, task, **given)


def test_the_best_trial_is_trained_to_its_end_whatever_the_order(tmp_path: Path) -> None:
    for order in range(3):
        values = [float(x) for x in range(12)]
        random.Random(order + seeds.SHIFT).shuffle(values)
        training = Training()
        ended = run(tmp_path / str(order), training, values)
        (best,) = (trial for trial in ended.trials if trial.params["x"] == 0.0)
        assert best.state.name == "COMPLETE" and best.values == [0.0]
        assert set(ended.states) == {"COMPLETE", "PRUNED"}
        # Of twelve trials each has one step, at least a third of them three, and the best nine.
        assert sum(3 in training.trained(x) for x in values) >= 4
        # No step is trained twice.
        assert all(training.trained(x) == sorted(set(training.trained(x))) for x in values)
        assert len(training.steps) < 12 * NUM_STEPS / 2


def test_a_trial_that_is_the_best_only_late_is_not_lost(tmp_path: Path) -> None:
    """Without promotion the first trial is stopped at its third step, and never seen again."""

    def score(x: float, step: int) -> float:
        return 5.0 if x == 0 and step < 3 else x

    values = [1.0, 2.0, 0.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]
    lost = run(tmp_path / "pruned", Training(score), values, promote=False)
    assert lost.trials[2].state.name == "PRUNED"
    kept = run(tmp_path / "promoted", Training(score), values)
    assert kept.trials[2].state.name == "COMPLETE" and kept.trials[2].values == [0.0]


def test_a_paused_trial_keeps_its_number_folder_and_steps(tmp_path: Path) -> None:
    ended = run(tmp_path, Training(), [2.0, 3.0, 4.0, 1.0])
    assert len(ended.trials) == 4
    first = ended.trials[3]
    assert first.state.name == "COMPLETE" and sorted(first.intermediate_values) == list(range(1, NUM_STEPS + 1))
    endings = [job["ending"] for job in first.user_attrs["jobs"]]
    assert endings[-1] == "done" and set(endings[:-1]) == {"paused"}
    assert {call.folder for call in ended.launcher.calls if call.link.number == 3} == {tmp_path / "3"}
    worst = ended.trials[2]
    assert worst.state.name == "PRUNED" and worst.user_attrs["reason"] == "pruned at step 1 by asha"
    stored = json.loads((tmp_path / "2" / "trial.json").read_text())
    assert stored["state"] == "pruned" and stored["reason"] == worst.user_attrs["reason"]
    assert "trial 2  paused" in ended.output


@pytest.mark.parametrize("num", [1, 2, 4])
def test_even_a_small_study_trains_its_best_trial_to_the_end(num: int, tmp_path: Path) -> None:
    ended = run(tmp_path, Training(), [float(num - x) for x in range(num)])
    assert ended.trials[num - 1].state.name == "COMPLETE"
    assert ended.loop.is_finished


def test_paused_trials_outlive_their_command(tmp_path: Path) -> None:
    """Its controller is gone: they neither run again at once, nor count as lost."""
    training = Training()

    def task(call: Call) -> float:
        if call.link.number == 5:
            raise ArithmeticError("as asked")
        return training(call)

    values = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 7.0, 8.0]
    stopped = run(tmp_path, task, values, max_failures=1)
    assert stopped.loop.too_many_failures and "RUNNING" in stopped.states
    paused = [trial for trial in stopped.trials if trial.state.name == "RUNNING"]
    assert all(json.loads((tmp_path / str(t.number) / "trial.json").read_text())["state"] == "paused" for t in paused)
    ended = run(tmp_path, training, values)
    assert ended.trials[6].state.name == "COMPLETE" and ended.loop.is_finished
    assert all(training.trained(x) == sorted(set(training.trained(x))) for x in values)
    assert not any(job["ending"] == "lost" for trial in ended.trials for job in trial.user_attrs["jobs"])


@pytest.mark.parametrize("later", [{"pruner": "none"}, {"pruner": "asha"}, {"pruner": "median", "pruning": {}}])
def test_without_promotion_paused_trials_continue(later: dict[str, Any], tmp_path: Path) -> None:
    training = Training()

    def task(call: Call) -> float:
        if call.link.number == 5:
            raise ArithmeticError("as asked")
        return training(call)

    values = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    stopped = run(tmp_path, task, values, max_failures=1)
    paused = [trial.params["x"] for trial in stopped.trials if trial.state.name == "RUNNING"]
    assert paused
    ended = run(tmp_path, training, values, promote=False, **later)
    assert ended.loop.is_finished and len(ended.trials) == len(values)
    assert all(training.trained(x) == sorted(set(training.trained(x))) for x in values)
    if later["pruner"] == "none":
        assert all(training.trained(x)[-1] == NUM_STEPS for x in paused)


def test_the_place_of_a_promoted_trial_that_fails_goes_to_the_next(tmp_path: Path) -> None:
    training = Training()

    def task(call: Call) -> float:
        if call.values["x"] == 0.0 and (call.folder / "step").exists():
            raise ArithmeticError("as asked")
        return training(call)

    ended = run(tmp_path, task, [0.0, 1.0])
    assert ended.states == ["FAIL", "COMPLETE"]


def test_a_lost_worker_of_a_promoted_trial_resumes_it(tmp_path: Path) -> None:
    training, lost = Training(), list[int]()

    def task(call: Call) -> float:
        if call.values["x"] == 0.0 and (call.folder / "step").exists() and not lost:
            lost.append(call.link.number)
            raise WorkerLost("the worker died")
        return training(call)

    ended = run(tmp_path, task, [3.0, 2.0, 1.0, 0.0])
    assert lost == [3] and ended.trials[3].state.name == "COMPLETE"
    assert training.trained(0.0) == list(range(1, NUM_STEPS + 1))


def test_a_trial_whose_value_is_not_a_number_is_pruned_at_once(tmp_path: Path) -> None:
    def score(x: float, step: int) -> float:
        return float("nan") if x == 0 else x

    ended = run(tmp_path, Training(score), [3.0, 0.0, 1.0, 2.0])
    assert ended.trials[1].state.name == "PRUNED"
    assert "trial 1  pruned" in ended.output


def test_a_program_that_prunes_its_own_trial_ends_it(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise TrialPruned("no good")

    ended = run(tmp_path, task, [1.0, 2.0])
    assert ended.states == ["PRUNED", "PRUNED"] and "paused" not in ended.output


def test_a_duplicate_of_a_paused_trial_has_its_end(tmp_path: Path) -> None:
    ended = run(tmp_path, Training(), [1.0, 5.0, 5.0, 2.0, 3.0], num_slots=2)
    assert ended.trials[2].state.name == "PRUNED" and ended.trials[2].user_attrs["reused_from"] == 1
    assert ended.loop.is_finished


@pytest.mark.parametrize("num_slots", [2, 3])
def test_trials_in_several_slots_end_too(num_slots: int, tmp_path: Path) -> None:
    training = Training()
    ended = run(tmp_path, training, [float(x) for x in range(10, 0, -1)], num_slots=num_slots)
    assert ended.trials[9].state.name == "COMPLETE"
    assert set(ended.states) == {"COMPLETE", "PRUNED"}


def test_the_largest_value_is_promoted_if_the_objective_is_maximized(tmp_path: Path) -> None:
    ended = run(tmp_path, Training(), [float(x) for x in range(6)], direction="maximize")
    assert ended.trials[5].state.name == "COMPLETE"


def test_a_trial_that_a_rung_stops_has_not_failed(tmp_path: Path) -> None:
    """Otherwise three failures after it would end the command as one whose trials all fail."""
    training = Training()

    def task(call: Call) -> float:
        if call.link.number in (2, 3, 4):
            raise ArithmeticError("as asked")
        return training(call)

    ended = run(tmp_path, task, [float(x) for x in range(7)])
    assert ended.states == ["COMPLETE", "PRUNED", "FAIL", "FAIL", "FAIL", "PRUNED", "PRUNED"]
    assert ended.loop.is_finished and not ended.loop.fails_always


def wait_of(study: SharedStudy, num: int) -> None:
    """Claim trials and give them back, as a command that is killed leaves them to the next one."""
    claimed = [study.claim() for _ in range(num)]
    for trial in claimed:
        assert trial
        study.configure(trial)
        study.give_back(trial)
    study.close()


def test_paused_trials_end_if_a_smaller_total_leaves_trials_that_wait(tmp_path: Path) -> None:
    training = Training()

    def task(call: Call) -> float:
        if call.link.number == 5:
            raise ArithmeticError("as asked")
        return training(call)

    values = [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    stopped = run(tmp_path, task, values, max_failures=1, num_trials=9)
    assert stopped.states == ["RUNNING"] * 4 + ["COMPLETE", "FAIL"]
    wait_of(open_study(tmp_path, SPACE, enqueue=enqueued(values), num_trials=9, **ASHA), 3)
    ended = run(tmp_path, training, values, num_trials=6)
    assert ended.states == ["PRUNED"] * 4 + ["COMPLETE", "FAIL"] + ["WAITING"] * 3
    assert ended.loop.is_finished
    more = run(tmp_path, training, values, num_trials=9)
    assert more.loop.is_finished and len(more.trials) == 9 and "WAITING" not in more.states


def test_the_place_of_a_trial_that_is_left_waiting_goes_to_the_next(tmp_path: Path) -> None:
    """The better of two trials was lost with its command when it continued."""
    training = Training()

    def task(call: Call) -> float:
        if call.link.number == 2:
            raise ArithmeticError("as asked")
        return training(call)

    values = [2.0, 1.0, 0.0]
    stopped = run(tmp_path, task, values, max_failures=1)
    assert stopped.states == ["RUNNING", "RUNNING", "FAIL"]
    wait_of(open_study(tmp_path, SPACE, enqueue=enqueued(values), num_trials=3, **ASHA), 1)
    ended = run(tmp_path, training, values, num_trials=2)
    assert ended.states == ["COMPLETE", "WAITING", "FAIL"] and ended.loop.is_finished
    assert run(tmp_path, training, values).states == ["COMPLETE", "COMPLETE", "FAIL"]


@pytest.mark.parametrize("promote", [False, True])
def test_a_trial_is_not_stopped_after_its_last_step(promote: bool, tmp_path: Path) -> None:
    """The second trial is the better one at each rung but the last, which falls on its last step."""

    def score(x: float, step: int) -> float:
        return 3.0 if x == 0 and step < NUM_STEPS else x

    ended = run(tmp_path, Training(score), [0.0, 2.0], promote=promote)
    last = ended.trials[1]
    assert last.state.name == "COMPLETE" and last.intermediate_values[NUM_STEPS] == 2.0
    assert [job["ending"] for job in last.user_attrs["jobs"]] == ["paused"] * (2 * promote) + ["done"]
