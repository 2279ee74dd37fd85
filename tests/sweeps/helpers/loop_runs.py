"""The engine within a test's process: tasks are plain functions, slots are threads."""

import io
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial
from rich.console import Console

from sweeps.job.trial_link import VARIABLE, TrialLink
from sweeps.launchers.contract import WorkerLost
from sweeps.loop.display import Display
from sweeps.loop.final_runs import Finals
from sweeps.loop.interrupts import Interrupts
from sweeps.loop.loop import SweepLoop
from sweeps.planning.checks import directions, objective_names, seed_list, typed_sweep
from sweeps.space import Space, read_constraints
from sweeps.storage.urls import journal_url
from sweeps.study.retry import RetryPolicy
from sweeps.study.shared_study import SharedStudy

PATIENCE_S = 120.0  # with a sweep of such tasks, which takes seconds

# The link of a final job: its trial has ended and records nothing more.
NO_TRIAL = TrialLink("", "", -1, -1, "")


@dataclass
class Call:
    """The arguments of a job."""

    values: dict[str, Any]
    link: TrialLink
    folder: Path


Task = Callable[[Call], Any]

WIDE = {"x": {"low": 0, "high": 10_000}}
FLOATS = {"x": {"low": 0.0, "high": 1.0}}

GRID = {"a.b": [1, 2, 3], "c": [[1, 2], [3]]}


def grid_score(call: Call) -> float:
    """The score of a configuration of GRID."""
    if call.values["a.b"] == 3:
        raise ArithmeticError("three")
    return float(call.values["a.b"])


def square(call: Call) -> float:
    return float(call.values["x"]) ** 2


def with_result(call: Call) -> float:
    """Write result.json as an experiment does."""
    (call.folder / "result.json").write_text(json.dumps({"num_parameters": call.values["x"], "x": call.values["x"]}))
    return float(call.values["x"])


class ThreadLauncher:
    """Run a function for each job, in threads. A WorkerLost or an ImportError that it raises goes to the future."""

    def __init__(self, task: Task, num_slots: int) -> None:
        self._task, self.num_slots = task, num_slots
        self._threads = ThreadPoolExecutor(num_slots)
        self.calls: list[Call] = []

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        call = read_call(overrides)
        self.calls.append(call)
        return self._threads.submit(self._run, call)

    def _run(self, call: Call) -> JobReturn:
        call.folder.mkdir(parents=True, exist_ok=True)
        try:
            return JobReturn(status=JobStatus.COMPLETED, _return_value=self._task(call))
        except (WorkerLost, ImportError):
            raise
        except Exception as error:
            return JobReturn(status=JobStatus.FAILED, _return_value=error)

    def end_jobs_of(self, controller: str) -> None: ...

    def slot_of(self, job_num: int) -> str | None:
        return "thread"

    def ran_s(self, job_num: int) -> float | None:
        return None

    def shutdown(self, wait: bool = True) -> None:
        self._threads.shutdown(wait)


def read_call(overrides: Sequence[str]) -> Call:
    """A job's overrides as Hydra's own parser reads them."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    values = {o.key_or_group: o.value() for o in parsed}
    text = values.pop(f"hydra.job.env_set.{VARIABLE}", None)
    link = TrialLink(**json.loads(text)) if text else NO_TRIAL
    folder = Path(values.pop("hydra.sweep.dir")) / values.pop("hydra.sweep.subdir")
    return Call(values, link, folder)


def open_study(folder: Path, space: dict[str, Any], *, arguments: Sequence[str] = (), **options: Any) -> SharedStudy:
    """The study of a search, with these arguments of the command for the jobs."""
    sweep = typed_sweep({"objective": "score", "direction": "minimize", **options})
    axes = Space.read(space, arguments)
    names = objective_names(sweep)
    enqueued = axes.grid() if sweep.sampler == "grid" else sweep.enqueue
    study = SharedStudy(
        config=sweep,
        name="study",
        url=sweep.storage or journal_url(folder),
        space=axes,
        objectives=names,
        directions=directions(sweep, names),
        num_trials=sweep.num_trials or len(enqueued),
        enqueued=list(enqueued),
        seeds=seed_list(sweep, OmegaConf.create({"seed": 10})),
    )
    if not sweep.retry_failed:
        study.begin_command()
    return study


@dataclass
class Sweep:
    """A sweep that has ended."""

    study: SharedStudy
    launcher: ThreadLauncher
    loop: SweepLoop
    output: str

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.study.trials()

    @property
    def states(self) -> list[str]:
        return [trial.state.name for trial in self.trials]


def sweep(folder: Path, space: dict[str, Any], task: Task, *, num_slots: int = 2, **options: Any) -> Sweep:
    """Run a sweep to its end; the same folder resumes the same study. One that does not end is stopped."""
    study = open_study(folder, space, **options)
    study.begin_command()
    study.retries = RetryPolicy(study.config.max_retries, first_pause_s=0)
    launcher, output = ThreadLauncher(task, num_slots), io.StringIO()
    display = Display(study, Console(file=output, width=200))
    constraints = read_constraints(study.config.constraints)
    held_back = study.config.search_overrides
    finals = Finals(study, folder, [], display) if held_back else None
    interrupts = Interrupts(print)
    loop = SweepLoop(study, launcher, folder, constraints, held_back, interrupts, display, finals)  # type: ignore[arg-type]  # fakes
    patience = threading.Timer(PATIENCE_S, lambda: setattr(interrupts, "stopping", True))
    patience.daemon = True
    patience.start()
    try:
        loop.run()
    finally:
        patience.cancel()
        study.close()
    return Sweep(study, launcher, loop, output.getvalue())


class Tally:
    """Counts from several threads."""

    def __init__(self) -> None:
        self._lock, self.value, self.highest = threading.Lock(), 0, 0

    def add(self, num: int) -> int:
        with self._lock:
            self.value += num
            self.highest = max(self.highest, self.value)
            return self.value
