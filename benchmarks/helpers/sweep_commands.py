"""The commands that sweep_engine.py times: those of this product, and those of hydra-optuna-sweeper in its own venv."""

import json
import os
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
APPS = Path(__file__).parent.resolve() / "sweep_apps"
SLEEPER, RUN = APPS / "sleeper.py", REPOSITORY / "run.py"
THEIRS = REPOSITORY / "build" / "hydra-optuna-sweeper"
# The versions that pip chooses for hydra-optuna-sweeper 1.3.0, which needs optuna <3.
PACKAGES = [
    "hydra-core==1.3.8",
    "hydra-optuna-sweeper==1.3.0",
    "hydra-joblib-launcher==1.2.0",
    "optuna==2.10.1",
    "sqlalchemy==2.1.*",
    "numpy==2.4.*",
]
# Other packages that the product needs come from the interpreter that runs the benchmark; they are found after these.
PATHS = "BENCHMARK_PATHS"
FIND = f"import os, sys; sys.path.extend(filter(None, os.environ.get('{PATHS}', '').split(os.pathsep)))\n"
NUM_SLOTS = 2

Configurations = list[dict[str, Any]]


@dataclass(frozen=True)
class Timed:
    """A command that has ended: when it was started, in seconds since 1970, and how long it took."""

    start: float
    wall_s: float


def make_their_environment() -> Path:
    """The interpreter of hydra-optuna-sweeper. The first call makes its environment, which needs a package index."""
    python, stamp = THEIRS / "bin" / "python", THEIRS / "installed"
    if not (stamp.exists() and stamp.read_text().split() == PACKAGES):
        venv.create(THEIRS, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        site = next(THEIRS.glob("lib/python*/site-packages"))
        (site / "benchmark.pth").write_text(FIND)
        stamp.write_text("\n".join(PACKAGES))
    return python


def ours(script: Path, folder: Path, *overrides: str) -> Timed:
    """Run a sweep on the local launcher's slots."""
    slots = [f"hydra.launcher.{o}" for o in ("devices=cpu", f"jobs_per_device={NUM_SLOTS}", "threads_per_job=1")]
    return timed([sys.executable, str(script), "-m", f"run_dir={folder}", *slots, *overrides], folder)


def theirs(script: Path, folder: Path, configurations: Configurations, *overrides: str) -> Timed:
    """Run the configurations in their order, in batches of as many as there are slots."""
    given = folder.with_suffix(".json")
    given.write_text(json.dumps(configurations))
    axes = [f"{name}=" + _choice([c[name] for c in configurations]) for name in configurations[0]]
    options = {
        "sweeper.n_trials": len(configurations),
        "sweeper.n_jobs": NUM_SLOTS,
        "launcher.n_jobs": NUM_SLOTS,
        "sweeper.sampler._target_": "listed.Listed",
    }
    chosen = ["--config-name=theirs"] if script == SLEEPER else ["hydra/sweeper=optuna", "hydra/launcher=joblib"]
    command = [str(make_their_environment()), str(script), "-m", *chosen, f"run_dir={folder}"]
    command += [f"hydra.{key}={value}" for key, value in options.items()]
    packages = os.pathsep.join(p for p in sys.path if p.endswith("site-packages"))
    own = {"BENCHMARK_CONFIGURATIONS": str(given), "PYTHONPATH": str(APPS), PATHS: packages if script == RUN else ""}
    return timed([*command, *axes, *overrides], folder, own)


def listed(configurations: Configurations, plus: str = "") -> list[str]:
    """Our overrides that run configurations in the given order."""
    axes = [
        f"{name}=choice({','.join(map(str, sorted({c[name] for c in configurations})))})" for name in configurations[0]
    ]
    rows = ["{" + ",".join(f"{name}:{value}" for name, value in c.items()) + "}" for c in configurations]
    return [*axes, f"{plus}sweep.enqueue=[{','.join(rows)}]", f"{plus}sweep.num_trials={len(configurations)}"]


def timed(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> Timed:
    """Run a command to its end, with one thread per process; its output goes to a file next to its folder."""
    start, begun = time.time(), time.perf_counter()
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)} | (environment or {})
    with folder.with_suffix(".log").open("w") as log:
        done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | own, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{folder.with_suffix('.log').read_text()[-3000:]}")
    return Timed(start, time.perf_counter() - begun)


def times(log: Path) -> list[list[float]]:
    """When each job of the sleeper began and ended, in seconds since 1970."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def pace_ms(log: Path) -> float:
    """Milliseconds per trial, from the tenth start to the last: by the tenth, every worker is warm."""
    begun = sorted(begun for begun, _ in times(log))[10:]
    return 1e3 * (begun[-1] - begun[0]) / (len(begun) - 1)


def _choice(values: list[Any]) -> str:
    return f"choice({','.join(map(str, sorted(set(values))))})"
