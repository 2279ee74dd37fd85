"""result.json and the rows of metrics.jsonl: of which types their values are. They may come from elsewhere."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectral.errors import UserError

WHOLE = ("best_epoch", "num_epochs", "num_parameters", "seed", "snapshot")
NEEDED = ("objective", "confusion", "score_test", "survey")
OF_A_NETWORK = ("best_epoch",)
BY_CLASS = ("precision", "recall", "f1", "num_spectra")
# Metrics that are shares, and their intervals, under any split and rule; counts.
SPLIT = "(val|test|train|all)/(decision/)?"
SHARE = re.compile(f"{SPLIT}(macro_f1(_low|_high)?|(balanced_)?accuracy|(f1|precision|recall)/.*)")
COUNT = re.compile(f"{SPLIT}num_(spectra|classes|groups)(/.*)?")
OF_SPLIT = ("macro_f1", "macro_f1_low", "macro_f1_high", "num_spectra")


def load_result(path: Path) -> dict[str, Any]:
    """A finished run's result.json, whose values have the types of docs/run-folder.md; keys may be missing.

    Raises:
        UserError: it cannot be read. The sentence names the key.
    """
    try:
        result = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read: {_said(error)}.") from error
    if not isinstance(result, dict) or not result:
        raise UserError(f"{path} cannot be read: it holds no {'mapping' if result else 'result'}.")
    if wrong := wrong_value(result):
        raise UserError(f"{path} cannot be read: {wrong}.")
    return result


def check_complete(result: Mapping[str, Any], path: Path) -> None:
    """Check that a result has all that a finished run is shown by.

    Raises:
        UserError: the sentence names the first key that is missing.
    """
    named = result.get("objective", [])
    objectives = [named] if isinstance(named, str) else named
    classes = result.get("survey", {}).get("class_names")
    needed = [*NEEDED, *(() if "method" in result else OF_A_NETWORK), *objectives]
    for split in ("val", "test"):
        if f"{split}/macro_f1" in result:
            needed += [f"{split}/{name}" for name in OF_SPLIT]
            needed += [f"{split}/{metric}/{name}" for metric in BY_CLASS for name in classes or ()]
            if split not in result.get("confusion", {}):
                raise UserError(f"{path} cannot be read: it lacks confusion.{split}.")
    if missing := [name for name in needed if name not in result]:
        raise UserError(f"{path} cannot be read: it lacks {missing[0]}.")
    for name in ("class_names", "fingerprint"):
        if name not in result["survey"]:
            raise UserError(f"{path} cannot be read: it lacks survey.{name}.")


def wrong_value(result: Mapping[str, Any]) -> str:
    """What is wrong with the first value of another type than it has; empty if none is."""
    survey, confusion = result.get("survey", {}), result.get("confusion", {})
    rules = {
        "objective": (_is_objective(result.get("objective", "")), "the name of a metric, or a list of names"),
        "score_test": (isinstance(result.get("score_test", True), bool), "true or false"),
        "survey": (isinstance(survey, dict), "a mapping"),
        "confusion": (isinstance(confusion, dict), "a mapping"),
    }
    rules |= {name: (_is_count(result[name]), "a whole number from 0 on") for name in WHOLE if name in result}
    for name, value in result.items():
        if "/" in name:
            rules[name] = (is_number(value), "a number")
            if SHARE.fullmatch(name):
                rules[name] = (is_number(value) and 0 <= value <= 1, "a number from 0 to 1")
            elif COUNT.fullmatch(name):
                rules[name] = (_is_count(value), "a whole number from 0 on")
    if isinstance(survey, dict):
        names = survey.get("class_names", [])
        rules["survey.class_names"] = (_are_texts(names) and len(set(names)) == len(names), "a list of names")
        for name in ("fingerprint", "folder"):
            rules[f"survey.{name}"] = (isinstance(survey.get(name, ""), str), "text")
    if isinstance(confusion, dict):
        names = survey.get("class_names") if isinstance(survey, dict) else None
        size = len(names) if isinstance(names, list) else None
        what = "a row and a column of counts for each class"
        rules |= {f"confusion.{key}": (_is_matrix(rows, size), what) for key, rows in confusion.items()}
    return next((f"{name} is not {what}" for name, (is_right, what) in rules.items() if not is_right), "")


def is_row(row: Any) -> bool:
    """Whether this is a row of metrics.jsonl: an epoch, its numbers, and the name of its stage."""
    return (
        isinstance(row, dict)
        and _is_whole(row.get("epoch"))
        and all(is_number(value) for name, value in row.items() if "/" in name)
    )


def is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _is_whole(value: Any) -> bool:
    """Whether this is a whole number of at most 64 bits: JSON knows larger ones, which no float can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value >= 0


def _is_objective(value: Any) -> bool:
    return isinstance(value, str) or (_are_texts(value) and bool(value))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_matrix(value: Any, size: int | None) -> bool:
    """Whether this is a square of whole numbers, of this size if it is known."""
    size = len(value) if size is None and isinstance(value, list) else size
    return (
        isinstance(value, list)
        and len(value) == size
        and all(isinstance(row, list) and len(row) == size and all(map(_is_whole, row)) for row in value)
    )


def _said(error: BaseException) -> str:
    """The first line of what a parser says, without the dot at its end."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
