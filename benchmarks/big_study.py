"""Make a large invented study with run folders and a survey in seconds: nothing is trained, every number is made up.

    python benchmarks/big_study.py /tmp/big --num-trials 1000 --num-test 50000

Leaves FOLDER/study (study.journal, sweep.json, one run folder per trial) and FOLDER/pack (the survey). K classes.
"""

import argparse
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from helpers.invented_runs import CLASSES, OBJECTIVE, InventedRun, write_predictions
from optuna.trial import FrozenTrial, TrialState, create_trial

from spectral.survey import FORMAT
from sweeps.results.ranking import ranked
from sweeps.space import Space
from sweeps.space.values import canonical
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import CONFIGURATION, ENQUEUED, IDENTITY, JOBS, OVERRIDES, REASON, REFERENCE, RUN_DIR
from sweeps.study.job_records import JobRecord, as_attribute

SHARES = (0.72, 0.115, 0.09, 0.075)
SPACE = {
    "sampler": "fractions",
    "sampler.fractions": {"type": "simplex", "size": 4, "minimum": 0.02},
    "model.dilations": {"type": "list", "min_length": 1, "max_length": 4, "element": [1, 2, 3, 4, 6, 8]},
    "model.width": {"low": 4, "high": 24, "log": True},
    "loss": ["cross_entropy", "focal", "logit_adjusted"],
    "optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
}
KNOWN = {
    "sampler": "fractions",
    "sampler.fractions": [0.8, 0.1, 0.05, 0.05],
    "model.dilations": [1, 2, 4],
    "model.width": 16,
    "loss": "cross_entropy",
    "optimizer.lr": 1e-3,
}
START = datetime(2026, 11, 1, 18, tzinfo=UTC)


@dataclass
class Invention:
    """How large the study is.

    Args:
        num_predicted: number of runs with a predictions.parquet: trial 0, then the best ones.
    """

    num_trials: int = 1000
    num_test: int = 50_000
    num_validation: int = 10_000
    length: int = 2600
    num_epochs: int = 20
    num_slots: int = 8
    num_predicted: int = 3
    seed: int = 0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self._draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=self.seed))

    def random_params(self, space: Space) -> dict[str, Any]:
        trial = self._draws.ask()
        space.suggest(trial)
        return trial.params


def make_study(folder: Path, invention: Invention) -> Path:
    """Make the study, its run folders and its pack; returns the study's folder."""
    catalog = make_pack(folder / "pack", invention)
    study_folder = folder / "study"
    study_folder.mkdir(parents=True)
    about = json.loads((folder / "pack" / "survey.json").read_text())
    survey = {"folder": str(folder / "pack"), **{key: about[key] for key in ("fingerprint", "class_names", "skipped")}}
    survey |= {"num_spectra": len(catalog), "length": invention.length, "num_channels": 1}
    space = Space.read(SPACE)
    trials = []
    for number, times in enumerate(_timeline(invention)):
        trials.append(_trial(study_folder, space, number, times, catalog, survey, invention))
    study = optuna.create_study(
        study_name="study", storage=open_storage(journal_url(study_folder), 60), direction="maximize"
    )
    study.set_user_attr(IDENTITY, {"space": space.signature(), "objectives": [OBJECTIVE], "fixed": []})
    study.set_user_attr(REFERENCE, canonical(KNOWN))
    study.add_trials(trials)
    best = ranked(study.get_trials(deepcopy=False), study.directions)
    for trial in [study.trials[0], *best][: invention.num_predicted]:
        write_predictions(Path(trial.user_attrs[RUN_DIR]), trial.number, catalog)
    command = "python run.py " + " ".join(best[0].user_attrs[OVERRIDES]) if best else None
    summary = {"num_trials": invention.num_trials, "best_command": command}
    (study_folder / "sweep.json").write_text(json.dumps(summary))
    return study_folder


def make_pack(folder: Path, invention: Invention) -> pd.DataFrame:
    """Pack a survey of noise with a line, only validation and test spectra; returns the catalog with the split."""
    folder.mkdir(parents=True)
    num, rng = invention.num_validation + invention.num_test, invention.rng
    index = rng.choice(len(CLASSES), num, p=SHARES)
    wave = np.linspace(3690.0, 9100.0, invention.length)
    flux = np.lib.format.open_memmap(folder / "flux.npy", "w+", np.float16, (num, 1, invention.length))
    for start in range(0, num, 2000):
        rows = index[start : start + 2000]
        block = rng.standard_normal((len(rows), invention.length), dtype=np.float32) * 0.1 + 1
        flux[start : start + 2000, 0] = block + np.exp(-(((wave - 4500 - 1000 * rows[:, None]) / 30) ** 2))
    flux.flush()
    catalog = pd.DataFrame(
        {
            "id": [f"spec-{row:06d}" for row in range(num)],
            "label": np.array(CLASSES)[index],
            "snr": rng.lognormal(2.2, 0.8, num),
            "class_index": index,
            "length": invention.length,
        }
    )
    catalog.to_parquet(folder / "catalog.parquet")
    about = {"format": FORMAT, "class_names": CLASSES, "wave_angstrom": wave.tolist(), "fingerprint": "made-up"}
    (folder / "survey.json").write_text(json.dumps(about | {"skipped": {}}))
    return catalog.assign(split=["validation"] * invention.num_validation + ["test"] * invention.num_test)


def _timeline(invention: Invention) -> list[tuple[str, datetime, float]]:
    """Slot, start and seconds of each trial: a slot starts its next trial a little after the last one has ended."""
    free = dict.fromkeys([f"cuda:{i // 2}/{i % 2}" for i in range(invention.num_slots)], 0.0)
    times = []
    for _ in range(invention.num_trials):
        slot = min(free, key=lambda name: free[name])
        begins, takes = free[slot] + invention.rng.exponential(2), invention.rng.lognormal(5, 0.4)
        free[slot] = begins + takes
        times.append((slot, START + timedelta(seconds=begins), takes))
    return times


def _trial(
    folder: Path,
    space: Space,
    number: int,
    times: tuple[str, datetime, float],
    catalog: pd.DataFrame,
    survey: dict[str, Any],
    invention: Invention,
) -> FrozenTrial:
    """Make a trial and, unless it failed at once, its run folder."""
    rng, (slot, start, takes) = invention.rng, times
    drawn = optuna.trial.FixedTrial(invention.random_params(space) if number else space.params(KNOWN))
    values = space.suggest(drawn)
    quality = _quality(values)
    state = _state(number, quality, rng)
    num_epochs = {"COMPLETE": invention.num_epochs, "FAIL": 0}.get(state.name, int(rng.integers(2, 8)))
    run = folder / str(number)
    attributes = {
        CONFIGURATION: json.dumps(values, separators=(",", ":")),
        OVERRIDES: space.overrides(values),
        RUN_DIR: str(run),
        JOBS: as_attribute(_jobs(slot, start, takes * max(num_epochs, 1) / 20, state, rng)),
        REASON: {"PRUNED": f"pruned at step {num_epochs} by hyperband", "FAIL": _failure(rng)}.get(state.name, ""),
    }
    if number == 0:
        attributes[ENQUEUED] = canonical(KNOWN)
    invented = InventedRun(number, quality, values, takes, num_epochs, state == TrialState.COMPLETE)
    value, curve = invented.write(run, survey, catalog, rng)
    made = create_trial(
        state=state,
        value=value,
        params=drawn.params,
        distributions=drawn.distributions,
        user_attrs=attributes,
        intermediate_values=dict(enumerate(curve, start=1)),
    )
    made.datetime_start, made.datetime_complete = start, start + timedelta(seconds=takes * max(num_epochs, 1) / 20)
    return made


def _jobs(slot: str, start: datetime, takes_s: float, state: TrialState, rng: np.random.Generator) -> list[JobRecord]:
    """The job records of a trial; a few trials have two, since a worker was lost."""
    began_s, ended_s = start.timestamp(), start.timestamp() + takes_s
    ending = {"COMPLETE": "done", "PRUNED": "pruned"}.get(state.name, "failed")
    if rng.random() >= 0.03:
        return [JobRecord(0, "made up", began_s, ended_s, slot, ending)]
    lost_s = began_s + takes_s / 3
    lost = JobRecord(0, "made up", began_s, lost_s, slot, "lost", "the worker was killed by SIGKILL")
    return [lost, JobRecord(0, "made up", lost_s + 1, ended_s, slot, ending)]


def _quality(values: dict[str, Any]) -> float:
    """A made-up score: the learning rate and the fraction of stars matter much, other values a little."""
    lr, star = np.log10(values["optimizer.lr"]), values["sampler.fractions"][0]
    bonus = {"cross_entropy": 0.0, "focal": -0.02, "logit_adjusted": 0.015}[values["loss"]]
    return float(
        0.86 - 0.08 * (lr + 2.7) ** 2 - 0.3 * (star - 0.45) ** 2 + bonus + 0.01 * np.log2(values["model.width"])
    )


def _state(number: int, quality: float, rng: np.random.Generator) -> TrialState:
    if number and rng.random() < 0.02:
        return TrialState.FAIL
    return TrialState.PRUNED if number and quality < 0.85 and rng.random() < 0.6 else TrialState.COMPLETE


def _failure(rng: np.random.Generator) -> str:
    reasons = ("OutOfMemoryError: CUDA out of memory", "the worker died (signal 9)", "the objective is NaN")
    return str(rng.choice(reasons))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name in ("num_trials", "num_test", "num_validation", "length", "num_slots", "num_predicted"):
        default = getattr(Invention, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default: {default}")
    options = vars(parser.parse_args())
    print(make_study(options.pop("folder"), Invention(**options)))


if __name__ == "__main__":
    main()
