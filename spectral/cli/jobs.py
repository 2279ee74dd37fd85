"""Jobs of one command, run by the Hydra launcher that it names: `hydra/launcher=local`, `ray`, `slurm` or another."""

import contextlib
import io
import logging
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode, TaskFunction

from spectral.errors import UserError

log = logging.getLogger(__name__)

MOST_LOSSES = 3  # of one job
PAUSE_S = 2.0  # before a lost job runs again; twice as long each time
TICK_S = 1.0


def run_shards(
    task: TaskFunction,
    shards: Sequence[int],
    num_shards: int,
    out: Path,
    on_tick: Callable[[], None],
    more: Sequence[str] = (),
) -> None:
    """Run some shards of a command as jobs: the task, once for each of them, with `shard=` and `shards=`.

    Args:
        task, on_tick: as in run_jobs.
        out: what the command makes. The jobs' own files are in `.NAME.jobs` next to it until all have ended well.
        more: overrides of all jobs.
    """
    folder = out.parent / f".{out.name}.jobs"
    run_jobs(task, [[f"shard={number}", f"shards={num_shards}", *more] for number in shards], folder, on_tick)
    shutil.rmtree(folder, ignore_errors=True)


def run_jobs(task: TaskFunction, jobs: Sequence[Sequence[str]], folder: Path, on_tick: Callable[[], None]) -> None:
    """Run the task once for each list of overrides, after those of the command. Returns when all have ended.

    A job whose worker is lost runs again, at most three times. A launcher that returns jobs one by one has `submit`
    (see its contract in sweeps/launchers); any other one runs all at once, and what it loses is lost.

    Args:
        task: importable by name, since it is sent to other processes.
        jobs: overrides of each job, the first of which names it in messages.
        folder: of the jobs' own files, each in a folder with its number.
        on_tick: called every second while jobs run.

    Raises:
        UserError: a job raised it, or its worker was lost too often. Any other error of a job is raised too.
    """
    if not jobs:
        return
    given = [str(override) for override in HydraConfig.get().overrides.task]
    all_overrides = [[*given, *overrides] for overrides in jobs]
    launcher = _launcher(task, folder)
    if not hasattr(launcher, "submit"):
        for returned in launcher.launch(all_overrides, initial_job_idx=0):
            _raise_if_failed(returned)
        return
    try:
        _run_all(launcher, all_overrides, [overrides[0] for overrides in jobs], on_tick)
    finally:
        launcher.shutdown(wait=False)


def _raise_if_failed(returned: JobReturn) -> None:
    """Raise what a job has raised. Hydra prints a line above it, which is kept for bugs alone."""
    line = io.StringIO()
    try:
        with contextlib.redirect_stderr(line):
            _ = returned.return_value
    except UserError:
        raise
    except BaseException:
        sys.stderr.write(line.getvalue())
        raise


def _launcher(task: TaskFunction, folder: Path) -> Any:
    hydra, here = GlobalHydra.instance().hydra, HydraConfig.get()
    assert hydra is not None
    own = [override for override in here.overrides.hydra if not override.startswith("hydra.mode=")]
    place = [f"hydra.sweep.dir={quoted(str(folder))}", "hydra.sweep.subdir=${hydra.job.num}", "hydra.mode=MULTIRUN"]
    config = hydra.compose_config(here.job.config_name, [*own, *place, *here.overrides.task], RunMode.MULTIRUN)
    context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks())
    try:
        return Plugins.instance().instantiate_launcher(context, task, config)
    except HydraException as error:
        if isinstance(error.__cause__, UserError):  # of a launcher's own checks
            raise error.__cause__ from None
        raise


def quoted(text: str) -> str:
    """Text as the value of an override, whatever characters are in it."""
    return "'" + text.replace("'", "\\'") + "'"


def _run_all(launcher: Any, jobs: Sequence[Sequence[str]], names: Sequence[str], on_tick: Callable[[], None]) -> None:
    losses = [0] * len(jobs)
    running: dict[Future[Any], int] = {
        launcher.submit(overrides, number): number for number, overrides in enumerate(jobs)
    }
    while running:
        done, _ = wait(running, TICK_S, FIRST_COMPLETED)
        on_tick()
        for future in done:
            number = running.pop(future)
            error = future.exception()
            if error is None:
                _raise_if_failed(future.result())
                continue
            reason = getattr(error, "reason", None)  # of a lost worker; any other error means that it can never run
            if reason is None:
                raise error
            losses[number] += 1
            if losses[number] > MOST_LOSSES:
                raise UserError(f"{names[number]} was lost {losses[number]} times, the last time because: {reason}.")
            log.warning("%s is lost and runs again: %s.", names[number], reason)
            time.sleep(PAUSE_S * 2 ** (losses[number] - 1))
            running[launcher.submit(jobs[number], number)] = number
