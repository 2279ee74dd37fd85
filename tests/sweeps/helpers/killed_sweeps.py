"""What a sweep that was killed must have kept, and how it must end after the same command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from search_runs import trials

from sweeps.outputs import TRIAL_FILE
from sweeps.study.attributes import RUN_DIR, SEED_VALUES


def jobs(folder: Path) -> dict[str, int]:
    """How often each job has begun, by its folder."""
    return {str(p.parent.relative_to(folder)): len(p.read_text().splitlines()) for p in folder.rglob("starts")}


def told(folder: Path) -> dict[str, int]:
    """How often the jobs whose result the study has had begun, by their folder."""
    begun = jobs(folder)
    if not begun:
        return {}  # perhaps there is not even a study
    found = set()
    for trial in trials(folder):
        seeds = len(trial.user_attrs.get(SEED_VALUES, {}))
        run_dir = Path(trial.user_attrs.get(RUN_DIR, folder)).name
        found |= {f"{run_dir}/seed-{k}" for k in range(seeds)}
        if trial.state.is_finished():
            found.add(run_dir)
    return {name: num for name, num in begun.items() if name in found}


def ending(folder: Path) -> list[Any]:
    """The trials as the study and their folders have them, in a form in which an uninterrupted sweep is equal."""
    return [
        (trial.number, trial.state.name, trial.params, trial.values, trial.user_attrs[RUN_DIR], record(trial))
        for trial in trials(folder)
    ]


def record(trial: Any) -> dict[str, Any]:
    """The trial.json of a trial without its number of attempts, and of each of its seeds."""
    found = {}
    for path in sorted(Path(trial.user_attrs[RUN_DIR]).rglob(TRIAL_FILE)):
        content = json.loads(path.read_text())
        found[path.parent.name] = {key: value for key, value in content.items() if key != "attempts"}
    return found


class Whole:
    """A sweep as it ends when it is not killed: the first call of `wrong` keeps it, the later ones compare with it."""

    def __init__(self) -> None:
        self.expected: list[Any] = []
        self.told: dict[str, int] = {}

    def lost(self, folder: Path) -> Callable[[str], str]:
        """Which jobs were running and began again."""
        self.told, before = told(folder), jobs(folder)

        def said(_printed: str) -> str:
            again = [name for name, num in jobs(folder).items() if num > before.get(name, num)]
            return f"nothing; {' '.join(again)} began again" if again else "nothing"

        return said

    def wrong(self, folder: Path, printed: str) -> str:
        found, begun = ending(folder), jobs(folder)
        self.expected = self.expected or found
        if again := [name for name, num in self.told.items() if begun[name] != num]:
            return f"run again though the study had the result: {again}"
        if "Traceback" in printed:
            return f"a traceback: {printed[-300:]}"
        self.told = {}
        if len(found) != len(self.expected):
            return f"{len(found)} trials"
        differing = [f"{is_}, not {was}" for is_, was in zip(found, self.expected, strict=True) if is_ != was]
        return differing[0] if differing else ""
