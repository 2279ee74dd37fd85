"""Measure Optuna's ask and tell, and the controller's memory, with many past trials; a part of sweep_engine.py.

python benchmarks/helpers/sweep_past.py fill FOLDER NUM     # a study of NUM trials, of 4 parameters
python benchmarks/helpers/sweep_past.py measure FOLDER SAMPLER
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import optuna
from optuna.trial import TrialState

from sweeps.loop.duplicates import earlier_duplicate
from sweeps.planning.checks import typed_sweep
from sweeps.space import Space
from sweeps.space.values import canonical
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import ATTEMPTS, CONFIGURATION, OWNER, RUN_DIR
from sweeps.study.shared_study import SharedStudy

SPACE = {
    "lr": {"low": 1e-5, "high": 1e-1, "log": True},
    "width": {"low": 4, "high": 64, "log": True},
    "dropout": {"low": 0.0, "high": 0.6},
    "loss": ["cross_entropy", "focal", "logit_adjusted"],
}
NUM_MEASURED = 20


def past_table(folder: Path, nums: Sequence[int]) -> Iterator[str]:
    """A Markdown table of ask and tell by sampler and number of past trials, each cell from its own process."""
    yield "| past trials | random: ask + tell | tpe: ask + tell | random: opened in, PSS | tpe: opened in, PSS |"
    yield "|---|---|---|---|---|"
    for num in nums:
        found = [measured(folder / str(num), num, sampler) for sampler in ("random", "tpe")]
        cells = [f"{f['trial_ms']:.1f} ms" for f in found] + [
            f"{f['open_s']:.2f} s, {f['pss_mb']:.0f} MB" for f in found
        ]
        yield f"| {num:,} | {' | '.join(cells)} |"


def measured(folder: Path, num: int, sampler: str) -> dict[str, float]:
    """What `measure` prints, of a study of `num` past trials that is filled if it is not there."""
    if not folder.exists():
        _run("fill", folder, num)
    found: dict[str, float] = json.loads(_run("measure", folder, sampler))
    return found


def _run(*arguments: Any) -> str:
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def open_study(folder: Path, sampler: str, num_trials: int) -> SharedStudy:
    config = typed_sweep({"sampler": sampler})
    url, space = journal_url(folder), Space.read(SPACE)
    return SharedStudy(config, "past", url, space, ["score"], ["maximize"], num_trials)


def fill(folder: Path, num: int) -> None:
    """Fill a study with trials as a random search makes them."""
    study = open_study(folder, "random", num)
    sampler = optuna.samplers.RandomSampler(seed=0)
    drawn = optuna.create_study(sampler=sampler, direction="maximize")
    for _ in range(num):
        trial = drawn.ask()
        values = study.space.suggest(trial)
        ended = drawn.tell(trial, values["dropout"] - abs(values["lr"] - 1e-3))
        attributes = {CONFIGURATION: canonical(values), OWNER: "past", RUN_DIR: f"past/{trial.number}", ATTEMPTS: 1}
        ended.user_attrs.update(attributes)
        study.study.add_trial(ended)
    study.close()


def measure(folder: Path, sampler: str) -> None:
    """Print the seconds to open the study, the median CPU time of a trial in milliseconds, and the memory used."""
    begun = time.process_time()
    study = open_study(folder, sampler, sys.maxsize)
    study.trials()
    open_s, taken_ms = time.process_time() - begun, []
    for _ in range(NUM_MEASURED):
        begun = time.process_time()
        trial = study.claim()
        assert trial is not None
        trial.set_user_attr(CONFIGURATION, canonical(study.space.suggest(trial)))
        earlier_duplicate(study, trial.number)
        study.finish(trial, TrialState.COMPLETE, [0.5])
        taken_ms.append(1e3 * (time.process_time() - begun))
    study.close()
    print(json.dumps({"open_s": open_s, "trial_ms": median(taken_ms), "pss_mb": _pss_mb()}))


def _pss_mb() -> float:
    """The proportional set size of this process in MB, in which a page that processes share counts once."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(rollup.split("\nPss:")[1].split()[0]) / 1024


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", folder, num]:
            fill(Path(folder), int(num))
        case ["measure", folder, sampler]:
            measure(Path(folder), sampler)
        case _:
            sys.exit(__doc__)
