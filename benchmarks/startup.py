"""Measure how long commands take to begin: the check of a command, a run up to its first step, small whole runs.

    python benchmarks/startup.py                       # all but the default run; 3 minutes
    python benchmarks/startup.py --parts first demo    # some of check, imports, first, debug, demo, trial
    python benchmarks/startup.py --quick               # one of each of check, imports and first: under a minute

check: a command that ends at a mistake, and --help. imports: where the time of the check goes, by library, of which a
part is Python's own measuring. first: from the start of the command to the first training step, with a survey packed
before. debug: the whole of `python run.py experiment=debug`. demo: of `python run.py`, which packs its survey. trial:
a trial that does nothing, in a sweep of one slot. Medians; seconds by the clock, and of the processor.
"""

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from helpers.scaling import Ended, machine, python, row, table
from helpers.sweep_commands import SLEEPER, ours, pace_ms

MISTAKE = "model.widht=3"
EXIT_MISTAKE = 2
FIRST_STEP = str(Path(__file__).parent / "helpers" / "first_step.py")
IMPORTED = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")


def check_part(folder: Path, num: int) -> Iterator[str]:
    yield from table("command", "seconds", "of the processor")
    named = {
        "Python alone": lambda: python("-c", "pass"),
        "`import hydra`": lambda: python("-c", "import hydra"),
        "the imports of run.py": lambda: python("-c", "import gc; gc.disable(); import run"),
        f"a mistake found: `{MISTAKE}`": lambda: python("run.py", MISTAKE, code=EXIT_MISTAKE),
        "`python run.py --help`": lambda: python("run.py", "--help"),
    }
    yield from _timed(named, num)


def _timed(commands: dict[str, Callable[[], Ended]], num: int) -> Iterator[str]:
    for command in commands.values():
        command()  # fills the caches of files and of compiled modules
    turns = [{name: command() for name, command in commands.items()} for _ in range(num)]
    for name in commands:
        wall_s, cpu_s = (median(getattr(turn[name], key) for turn in turns) for key in ("wall_s", "cpu_s"))
        yield row(name, f"{wall_s:.2f}", f"{cpu_s:.2f}")


def imports_part(folder: Path, num: int) -> Iterator[str]:
    found = [_by_library(python("-X", "importtime", "run.py", MISTAKE, code=EXIT_MISTAKE).output) for _ in range(num)]
    yield from table("modules of", "ms of import")
    for name, _ in found[-1].most_common(8):
        yield row(name, f"{median(times[name] for times in found) / 1e3:.0f}")
    yield row("all", f"{median(times.total() for times in found) / 1e3:.0f}")


def _by_library(printed: str) -> Counter[str]:
    times: Counter[str] = Counter()
    for time_us, module in IMPORTED.findall(printed):
        name = module.split(".")[0]
        times[name if name in {"spectral", "sweeps", "hydra", "omegaconf", "numpy", "torch"} else "others"] += int(
            time_us
        )
    return times


def first_part(folder: Path, num: int) -> Iterator[str]:
    yield from table("run", "to the beginning of the first step", "to its end")
    runs = {"the default": (), "the reference network": ("model=reference",)}
    for name, overrides in runs.items():
        turns = [_first_step(folder, f"{name}-{i}", overrides) for i in range(num + 1)][1:]  # the first one packs
        yield row(name, *(f"{median(turn[k] for turn in turns):.2f} s" for k in (0, 1)))


def _first_step(folder: Path, name: str, overrides: tuple[str, ...]) -> tuple[float, float]:
    given = f"cache_dir={folder / 'cache'}", f"run_dir={folder / name.replace(' ', '-')}", "tracker=none"
    start = time.time()
    begun, ended = map(float, python(FIRST_STEP, *given, *overrides).output.split()[-2:])
    return begun - start, ended - start


def debug_part(folder: Path, num: int) -> Iterator[str]:
    yield from table("command", "seconds", "of the processor")
    for i, name in enumerate(("packing its survey", *["with a packed survey"] * num)):
        ended = python("run.py", "experiment=debug", f"cache_dir={folder / 'cache'}", f"run_dir={folder / f'run-{i}'}")
        yield row(f"`python run.py experiment=debug`, {name}", f"{ended.wall_s:.1f}", f"{ended.cpu_s:.1f}")


def demo_part(folder: Path, num: int) -> Iterator[str]:
    yield from table("command", "seconds", "of the processor")
    ended = python("run.py", f"cache_dir={folder / 'cache'}", f"run_dir={folder / 'run'}")
    yield row("`python run.py`, as `make demo`, packing its survey", f"{ended.wall_s:.1f}", f"{ended.cpu_s:.1f}")


def trial_part(folder: Path, num: int) -> Iterator[str]:
    yield from table("slots", "ms from a start to the next")
    num_trials = 20 * num
    for slots in (1, 2):
        log = folder / f"{slots}.times"
        axis = ["x=interval(0.0,1.0)", f"+sweep.num_trials={num_trials}", "+sweep.sampler=random"]
        ours(SLEEPER, folder / str(slots), f"log={log}", *axis, f"hydra.launcher.jobs_per_device={slots}")
        yield row(slots, f"{pace_ms(log):.0f}")


PARTS = {
    "check": check_part,
    "imports": imports_part,
    "first": first_part,
    "debug": debug_part,
    "demo": demo_part,
    "trial": trial_part,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[part for part in PARTS if part != "demo"])
    parser.add_argument("--num", type=int, default=5, help="repetitions of each")
    parser.add_argument("--quick", action="store_true", help="one of each of check, imports and first")
    options = parser.parse_args()
    print(machine())
    for name in ["check", "imports", "first"] if options.quick else options.parts:
        print(f"\n{name}\n", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for line in PARTS[name](Path(folder), 1 if options.quick else options.num):
                print(line, flush=True)


if __name__ == "__main__":
    main()
