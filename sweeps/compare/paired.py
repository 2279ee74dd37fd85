"""The difference in macro-F1 of two subjects on the same spectra: one sentence per split, or why it is not known."""

from sweeps.compare.subjects import Subject
from sweeps.results.paired_difference import difference_sentence, paired_differences


def paired_lines(first: Subject, other: Subject) -> list[str]:
    found, reason = paired_differences(other.runs, first.runs)
    if reason:
        return [f"{other.name} and {first.name}: no paired difference, for {reason}."]
    return [difference_sentence(difference, first.name, other.name) for difference in found.values()]
