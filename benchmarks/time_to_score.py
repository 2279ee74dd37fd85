"""Measure how soon searches find a good score: best validation macro-F1 against time, 2 slots of one thread each.

    python benchmarks/time_to_score.py --arm ours --draw 0 --out build/score     # each arm is a command of its own
    python benchmarks/time_to_score.py --arm optuna --draw 0 --out build/score
    python benchmarks/time_to_score.py --arm joblib --draw 0 --out build/score --joblib-python JOBLIB/bin/python
    python benchmarks/time_to_score.py --arm ray --draw 0 --out build/score --ray-python RAY/bin/python
    python benchmarks/time_to_score.py --table build/score                       # tables, and best_score.png there

The arms:

- ours: `python run.py -m`, TPE, sweep.pruner=asha sweep.promote=true: rungs at epochs 3 and 9, one in three continues.
- joblib: hydra-optuna-sweeper with hydra-joblib-launcher, TPE, on a plain PyTorch training (helpers/naive_training.py):
  the same architecture and initial weights in nn.Conv1d, with DataLoader, float32 and torch's own settings. That
  sweeper has no pruning, and runs batches of two that wait for each other.
- ray: Ray Tune with OptunaSearch (TPE) and ASHAScheduler (the same rungs) on the product's training.
- optuna: study.optimize(n_jobs=2) with TPE and MedianPruner, Optuna's defaults, on the product's training: two threads
  of one process, as it works.

All have the same space, epochs, batch size, split and code of the score. A draw is the seed of sampler, split and
training. Before the time of an arm begins, the survey is packed once for all and the native kernel is built; all else
counts, also imports. An arm is ended when its time is up. The score of an epoch counts when its row is in the
metrics.jsonl of its trial, which is looked at four times a second. A trial has the weights of its best epoch, so its
best score so far counts, whether it is pruned later or not.

Two arms need an environment of their own, made once:

    python -m venv JOBLIB; JOBLIB/bin/pip install hydra-core==1.3.2 hydra-optuna-sweeper==1.3.0 optuna==2.10.1 \\
        hydra-joblib-launcher==1.2.0 'sqlalchemy==2.1.*' 'torch==2.13.*' 'numpy==2.4.*'
    python -m venv RAY; RAY/bin/pip install '.[ray]' 'ray[tune]==2.60.*'

Without --survey the survey is the product's simulated one.
"""

import argparse
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from helpers.product_runs import ROOT, override
from helpers.score_run import run_for
from helpers.score_space import MIN_EPOCHS, NUM_SLOTS, REDUCTION_FACTOR, Job, hydra_axes, product_axes
from helpers.score_table import NAMES, Search, draw_figure, read_searches, tables

HELPERS = Path(__file__).resolve().parent / "helpers"
VALIDATION, TEST = 0.2, 0.1
NUM_TRIALS = 100_000  # more than there is time for
PRODUCT_PATH = {"PYTHONPATH": f"{ROOT}:{HELPERS.parent}"}
Arm = tuple[list[str], dict[str, str]]  # a command and its environment


def ours(job: Job, _job_file: Path, _options: argparse.Namespace) -> Arm:
    slots = {"devices": "cpu", "jobs_per_device": NUM_SLOTS, "threads_per_job": 1}
    sweep = {"num_trials": NUM_TRIALS, "seed": job.seed, "sampler": "tpe", "pruner": "asha", "promote": "true"}
    pruning = {"min_steps": MIN_EPOCHS, "reduction_factor": REDUCTION_FACTOR}
    command = [sys.executable, str(ROOT / "run.py"), "-m", *job.overrides, *product_axes(job.class_names)]
    command += [f"hydra.launcher.{key}={value}" for key, value in slots.items()]
    command += [f"sweep.{key}={value}" for key, value in sweep.items()]
    command += [f"sweep.pruning.{key}={value}" for key, value in pruning.items()]
    return [*command, override("run_dir", Path(job.folder))], PRODUCT_PATH


def joblib(job: Job, job_file: Path, options: argparse.Namespace) -> Arm:
    sweeper = {"n_trials": NUM_TRIALS, "n_jobs": NUM_SLOTS, "direction": "maximize", "sampler.seed": job.seed}
    command = [str(options.joblib_python), str(HELPERS / "naive_training.py"), "-m"]
    command += ["hydra/sweeper=optuna", "hydra/launcher=joblib", f"hydra.launcher.n_jobs={NUM_SLOTS}"]
    command += [f"hydra.sweeper.{key}={value}" for key, value in sweeper.items()]
    command += [override("hydra.sweep.dir", Path(job.folder)), override("job", job_file)]
    return [*command, *hydra_axes(job)], {"PYTHONPATH": ""}


def ray(_job: Job, job_file: Path, options: argparse.Namespace) -> Arm:
    return [str(options.ray_python), str(HELPERS / "score_ray.py"), str(job_file)], PRODUCT_PATH


def optuna(_job: Job, job_file: Path, _options: argparse.Namespace) -> Arm:
    return [sys.executable, str(HELPERS / "score_optuna.py"), str(job_file)], PRODUCT_PATH


ARMS: dict[str, Callable[[Job, Path, argparse.Namespace], Arm]] = {
    "ours": ours,
    "joblib": joblib,
    "ray": ray,
    "optuna": optuna,
}


def run_arm(name: str, options: argparse.Namespace) -> None:
    """Run an arm for its time, and write what it found."""
    out: Path = options.out.resolve()
    folder = out / f"{name}-{options.draw}"
    if folder.exists():
        raise SystemExit(f"{folder} is there already: remove it to run this arm again.")
    job = make_job(folder, options)
    folder.mkdir()
    job_file = out / f"{name}-{options.draw}.job"
    job.write(job_file)
    command, environment = ARMS[name](job, job_file, options)
    print(f"{NAMES[name]}, draw {options.draw}, {options.minutes:g} minutes", flush=True)
    log = out / f"{name}-{options.draw}.log"
    duration_s, points = run_for(command, environment, folder, log, 60 * options.minutes)
    search = Search(name, options.draw, duration_s, points, settings(job, command))
    print(f"{search.num_trials()} trials, best {search.best:.4f}: {search.write(out)}", flush=True)
    if not options.keep:
        shutil.rmtree(folder)


def settings(job: Job, command: list[str]) -> dict[str, Any]:
    """What the reader of a search must know."""
    return {
        "command": command,
        "epochs": job.num_epochs,
        "steps_per_epoch": job.num_steps,
        "batch_size": job.batch_size,
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
    }


def make_job(folder: Path, options: argparse.Namespace) -> Job:
    """Pack the survey and build the native kernel, unless that was done, and write which spectra train and validate."""
    from helpers.score_training import composed

    from spectral.configs.root import typed
    from spectral.data.dataset import Dataset
    from spectral.native.library import library

    out = folder.parent
    out.mkdir(parents=True, exist_ok=True)
    overrides = product_overrides(out, options)
    config = typed(composed(overrides))
    dataset = Dataset.open(config.data, config.split, Path(config.cache_dir))
    library()
    packed, rows = dataset.survey.folder, out / f"rows-{options.draw}.npz"
    assert packed is not None
    if dataset.survey.num_channels != 1:
        raise SystemExit("the survey must have one flux channel.")
    np.savez(rows, labels=dataset.labels, train=dataset.train, validation=dataset.validation)
    return Job(
        folder=str(folder),
        seed=options.draw,
        num_epochs=options.max_epochs,
        num_steps=options.steps_per_epoch,
        batch_size=options.batch_size,
        max_length=options.max_length,
        class_names=dataset.class_names,
        flux=str(packed / "flux.npy"),
        mask=str(packed / "mask.npy") if dataset.survey.mask is not None else None,
        rows=str(rows),
        overrides=tuple(overrides),
    )


def product_overrides(out: Path, options: argparse.Namespace) -> list[str]:
    """The overrides of the product for all but the search space."""
    data = ["data=arrays", override("data.path", survey_file(options.survey))] if options.survey else ["data=simulated"]
    split = {"validation": VALIDATION, "test": TEST, "seed": options.draw}
    training = {
        "inputs.masked_pixels": "zero",  # as in the plain training
        "model.max_length": options.max_length,
        "schedule.batch_size": options.batch_size,
        "schedule.stages.0.epochs": options.max_epochs,
        "schedule.stages.0.steps": options.steps_per_epoch,
        "schedule.keep": "best",
        "lr_schedule.warmup_fraction": 0,  # as in the plain training
        "seed": options.draw,
        "device": "cpu",
        "num_threads": 1,
        "tracker": "none",
        "plots": "false",
    }
    parts = ["split=stratified", "model=reference", override("cache_dir", out / "surveys")]
    parts += [f"split.{key}={value}" for key, value in split.items()]
    return [*data, *parts, *(f"{key}={value}" for key, value in training.items())]


def survey_file(given: Path) -> Path:
    """The survey itself, or the one NPZ of a folder."""
    if not given.is_dir():
        return given
    found = sorted(given.glob("*.npz"))
    if len(found) != 1:
        raise SystemExit(f"--survey {given} has {len(found)} NPZ files: name one of them.")
    return found[0]


def print_table(folder: Path) -> None:
    searches = read_searches(folder)
    if not searches:
        raise SystemExit(f"{folder} has no search: run --arm first.")
    for line in tables(searches):
        print(line)
    draw_figure(searches, folder / "best_score.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--arm", choices=[*ARMS, "all"], help="run this one, or all in turn")
    asked.add_argument("--table", type=Path, metavar="FOLDER", help="print the tables of --out, and draw the figure")
    parser.add_argument("--out", type=Path, help="the folder of the results; one for all arms and draws")
    parser.add_argument("--survey", type=Path, metavar="FOLDER_OR_NPZ", help="as data=arrays reads it: flux, type")
    parser.add_argument("--minutes", type=float, default=8, help="of each arm")
    parser.add_argument("--draw", type=int, default=0, help="the seed of sampler, split and training")
    parser.add_argument("--joblib-python", type=Path, help="the Python of the environment for joblib, as above")
    parser.add_argument("--ray-python", type=Path, help="the Python of the environment for ray, as above")
    parser.add_argument("--max-epochs", type=int, default=12, help="of a training")
    parser.add_argument("--steps-per-epoch", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-length", type=int, default=400, help="longer spectra are averaged by twos, to fit")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the trials")
    options = parser.parse_args()

    if options.table:
        return print_table(options.table)
    if options.out is None:
        parser.error("--arm needs --out, the folder of the results.")
    arms = list(ARMS) if options.arm == "all" else [options.arm]
    for arm in {"joblib", "ray"} & set(arms):
        if getattr(options, f"{arm}_python") is None:
            parser.error(f"--arm {arm} needs --{arm}-python: the environment is described in --help.")
    for arm in arms:
        run_arm(arm, options)


if __name__ == "__main__":
    main()
