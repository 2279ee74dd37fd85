"""Whether the report of a sweep is up to date: to make it again takes seconds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeps.results.final_trials import ended_finals
from sweeps.results.run_dirs import run_dirs
from sweeps.study.shared_study import SharedStudy


def is_current(page: Path, study: SharedStudy, folder: Path, made_of: Sequence[Path] = ()) -> bool:
    """Whether the page is there and younger than the end of every trial and of every last run.

    Args:
        folder: of the sweep.
        made_of: further files that it must be younger than, if they are there.
    """
    changed_s = [*_ends_s(study, folder), *(path.stat().st_mtime for path in made_of if path.is_file())]
    return page.is_file() and page.stat().st_mtime > max(changed_s, default=0.0)


def _ends_s(study: SharedStudy, folder: Path) -> Iterator[float]:
    """In seconds since 1970."""
    with_final = ended_finals(study.study.user_attrs)
    for trial in study.trials():
        if trial.datetime_complete:
            yield trial.datetime_complete.timestamp()
        if trial.number in with_final:
            results = (path / "result.json" for path in run_dirs(trial.user_attrs, folder))
            yield from (result.stat().st_mtime for result in results if result.is_file())
