"""The difference in macro-F1 of two subjects on the same spectra: one sentence per split, or why it is not known."""

from sweeps.compare.subjects import Subject
from sweeps.results.paired_difference import Difference, paired_differences

KEYS = {"validation": "val"}  # of a split in result.json, if it has another name there


def paired_lines(first: Subject, other: Subject) -> list[str]:
    found, reason = paired_differences(other.runs, first.runs)
    if reason:
        return [f"{other.name} and {first.name}: no paired difference, for {reason}."]
    return [_sentence(difference, first.name, other.name) for difference in found.values()]


def _sentence(found: Difference, first: str, other: str) -> str:
    better = other if found.value > 0 else first
    verdict = (
        f"is clear of zero: {better} is better on these spectra"
        if found.is_shown
        else "contains zero, so that these spectra do not show which is better"
    )
    ours, theirs = map(_mean_over, found.num_seeds)
    name = f"{KEYS.get(found.split, found.split)}/{found.score}"
    return (
        f"{name} of {other}{ours} less that of {first}{theirs}: {found.value:+.4f} on the same "
        f"{found.num_spectra:,} spectra; the 95 % interval, {found.low:+.4f} to {found.high:+.4f}, {verdict}."
    )


def _mean_over(num_seeds: int) -> str:
    return f" (mean over {num_seeds} seeds)" if num_seeds > 1 else ""
