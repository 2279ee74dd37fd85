"""What a run ends with on the terminal: per-class scores, confusion matrix, where the files are."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spectral.control_characters import printable
from spectral.runs.doubts import doubts_of
from spectral.scoring.few import few_spectra

TITLES = {"val": "validation", "test": "test", "train": "training", "validation": "validation", "all": "all"}


def print_result(console: Console, result: Mapping[str, Any], folder: object) -> None:
    """Print what result.json holds.

    Args:
        folder: shown as the place of the run's files.
    """
    splits = [key for key in ("val", "test") if f"{key}/macro_f1" in result]
    print_scores(console, result, result["survey"]["class_names"], splits)
    console.print(f"run folder: {escape(str(folder))}", highlight=False, soft_wrap=True)
    for doubt in doubts_of(result):
        print_doubt(console, doubt)


def print_doubt(console: Console, doubt: str) -> None:
    """Print last what puts all that was printed before in doubt; nothing if it is empty."""
    if doubt:
        console.print(f"Note: {doubt}", highlight=False, markup=False, soft_wrap=True)


def print_scores(console: Console, scores: Mapping[str, Any], names: Sequence[str], splits: Sequence[str]) -> None:
    """Print the class table of some splits, the confusion matrix of the last, and macro-F1 of each.

    Args:
        scores: metrics by `<split>/<metric>` as FinalScores names them, and the matrices under `confusion`.
        names: of the classes [K].
    """
    for key in splits:
        console.print(f"Scores by class, {TITLES[key]}{_by_rule(scores, key)}")
        console.print(class_table(scores, names, key))
    if splits:
        last = splits[-1]
        what = f"{TITLES[last]}{_by_rule(scores, last)}"
        console.print(f"Confusion matrix, {what} (rows: true class, columns: predicted class)")
        console.print(confusion_table(scores["confusion"][_decided(scores, last)], names))
    for key in splits:
        for line in score_lines(scores, names, key):
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def score_lines(scores: Mapping[str, Any], names: Sequence[str], key: str) -> list[str]:
    """Macro-F1 of a split by argmax, by the decision rule if that is another, and what to know of both."""
    lines = [_macro_f1(scores, key, f"{TITLES[key]} macro-F1")]
    if _decided(scores, key) != key:
        lines.append(_macro_f1(scores, _decided(scores, key), f"{TITLES[key]} macro-F1 by the decision rule"))
    counts = {name: scores[f"{key}/num_spectra/{name}"] for name in names}
    there = [name for name in names if counts[name]]
    if len(there) < len(names):
        absent = ", ".join(name for name in names if not counts[name])
        lines.append(f"It is the mean over {len(there)} of {len(names)} classes: {TITLES[key]} has no {absent}.")
    return lines + [few_spectra(counts, TITLES[key])] * bool(few_spectra(counts, TITLES[key]))


def _macro_f1(scores: Mapping[str, Any], key: str, title: str) -> str:
    low, high = scores[f"{key}/macro_f1_low"], scores[f"{key}/macro_f1_high"]
    return f"{title} {scores[f'{key}/macro_f1']:.4f}  (95 % interval of the sample {low:.4f} to {high:.4f})"


def _decided(scores: Mapping[str, Any], key: str) -> str:
    """Where the scores of a split's decisions stand: under a name of their own unless they are argmax."""
    return f"{key}/decision" if f"{key}/decision/macro_f1" in scores else key


def _by_rule(scores: Mapping[str, Any], key: str) -> str:
    return "" if _decided(scores, key) == key else ", by the decision rule"


def class_table(scores: Mapping[str, Any], names: Sequence[str], split: str) -> Table:
    """Precision, recall, F1 and number of spectra of one split, one row per class, and macro-F1: of the decisions."""
    table, key = _table("class", ["precision", "recall", "F1", "spectra"]), _decided(scores, split)
    for name in names:
        values = [f"{scores[f'{key}/{metric}/{name}']:.4f}" for metric in ("precision", "recall", "f1")]
        table.add_row(_shown(name), *values, str(scores[f"{split}/num_spectra/{name}"]))
    table.add_section()
    table.add_row("macro-F1", "", "", f"{scores[f'{key}/macro_f1']:.4f}", str(scores[f"{split}/num_spectra"]))
    return table


def confusion_table(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> Table:
    """Counts: one row per true class, one column per predicted one."""
    table = _table("", [_shown(name) for name in names])
    for i, (name, row) in enumerate(zip(names, matrix, strict=True)):
        table.add_row(_shown(name), *(f"[bold]{n}[/bold]" if i == j else str(n) for j, n in enumerate(row)))
    return table


def _shown(name: str) -> str:
    """A name as a cell: not taken for markup, and measured as it is printed."""
    return escape(printable(name))


def _table(first: str, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
