"""The difference in macro-F1 of two subjects on the same spectra: one sentence per split, or why it is not known."""

from sweeps.compare.subjects import Subject
from sweeps.results.paired_difference import KEYS, SPLITS, difference_sentence, paired_differences


def paired_lines(first: Subject, other: Subject) -> list[str]:
    if [run.path.resolve() for run in first.runs] == [run.path.resolve() for run in other.runs]:
        return [f"{first.name} and {other.name} are the same: name another one."]
    found, reason = paired_differences(other.runs, first.runs)
    if reason:
        return [f"{other.name} and {first.name}: no paired difference, for {reason}."]
    lines = [difference_sentence(difference, first.name, other.name) for difference in found.values()]
    lines += [
        f"{other.name} and {first.name}: no paired difference on {split}, whose spectra are not the same."
        for split in SPLITS
        if split not in found and all(f"{KEYS.get(split, split)}/macro_f1" in one.metrics for one in (first, other))
    ]
    return lines + ([_flattered(*chosen)] if "validation" in found and (chosen := _chosen(first, other)) else [])


def _chosen(*subjects: Subject) -> list[str]:
    return [subject.name for subject in subjects if subject.is_best_of_study]


def _flattered(name: str, *others: str) -> str:
    if others:
        return f"{name} and {others[0]} were chosen on validation as the best of a study: both scores are flattered."
    return f"{name} was chosen on validation as the best of its study, so the difference there is flattered."
