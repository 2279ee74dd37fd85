"""The ensemble of a sweep's best trials, in the folder of the sweep, and how it compares with the best trial alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sweeps.results.paired_difference import Difference, difference_sentence, paired_differences
from sweeps.results.run import Run, trouble
from sweeps.results.trial_command import predict_command

FOLDER = "ensemble"  # in the folder of the sweep
SHOWN = "val/macro_f1", "val/decision/macro_f1", "test/macro_f1", "test/decision/macro_f1"  # scores that a sweep prints
NOTE = "The best trial was chosen on these spectra; what the ensemble says of each was selected and fitted without it."


@dataclass(frozen=True)
class SweepEnsemble:
    """An ensemble and the best trial of its sweep.

    Args:
        run: the ensemble, which has a result.
        best: the runs of the best trial, one per seed or fold.
        best_name: of that trial, in sentences.
    """

    run: Run
    best: tuple[Run, ...]
    best_name: str

    @classmethod
    def of(cls, folder: Path, best: Sequence[Run], best_name: str) -> "SweepEnsemble | None":
        """The ensemble in the folder of a sweep; None if there is none that can be read, or if it is an old one.

        An old one was made when the best trial had not ended yet: that is none of its candidates.
        """
        run = Run(folder / FOLDER)
        if trouble(run, "result", "predictions", "config") or "ensemble" not in run.result:
            return None
        candidates = run.result["ensemble"].get("runs", [])
        if not all(_is_in(candidates, one.path, folder) for one in best):
            return None
        readable = [one for one in best if not trouble(one, "result", "predictions", "config") and one.result]
        return cls(run, tuple(readable), best_name)

    @property
    def num_members(self) -> int:
        return len(self.run.members)

    @cached_property
    def difference(self) -> Difference | None:
        """Its macro-F1 less that of the best trial, on the test split if both have it, else on validation.

        None if it is a single network: that is one run of a trial, perhaps the luckiest, and no average.
        """
        if self.num_members == 1:
            return None
        found, _ = paired_differences([self.run], self.best)
        return found.get("test", found.get("validation"))

    @property
    def command(self) -> str:
        """The command that applies it to new spectra."""
        return predict_command(self.run.path)

    def lines(self) -> list[str]:
        """What a sweep prints of it."""
        result = self.run.result
        names = [name for name in SHOWN if name in result]
        scores = ", ".join(f"{name} {result[name]:.4f}" for name in names)
        found = [f"ensemble of {self.num_members} network{'s' * (self.num_members != 1)}: {scores}"]
        if self.num_members == 1:
            found.append(f"The selection kept one network, {self.run.members[0]}: nothing is averaged.")
        elif self.difference:
            found += [difference_sentence(self.difference, self.best_name, "the ensemble"), *self.notes()]
        return [*found, f"ensemble: {self.command} data=..."]

    def notes(self) -> list[str]:
        """What to know of the difference."""
        return [NOTE] if self.difference and self.difference.split == "validation" else []

    def content(self) -> dict[str, Any]:
        """As sweep.json has it."""
        result, found = self.run.result, self.difference
        scores = {name: value for name, value in result.items() if name.endswith("/macro_f1")}
        about: dict[str, Any] = {"run_dir": str(self.run.path), "num_members": self.num_members, **scores}
        if found:
            about["difference"] = {
                "to": self.best_name,
                "split": found.split,
                "score": found.score,
                "value": found.value,
                "low": found.low,
                "high": found.high,
            }
        return about | {"command": self.command}


def _is_in(candidates: Sequence[str], path: Path, folder: Path) -> bool:
    """Whether a run of a sweep is among run folders, by its place in the sweep's folder, which may have been moved."""
    place = path.resolve()
    if place.is_relative_to(folder.resolve()):
        place = place.relative_to(folder.resolve())
    return any(Path(candidate).parts[-len(place.parts) :] == place.parts for candidate in candidates)
