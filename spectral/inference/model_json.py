"""Read model.json, as this version of Spectral or an earlier one has written it.

A key that is missing has its default, an unknown one is ignored with a warning, a newer format is refused.
"""

import json
import logging
from typing import Any

from spectral.errors import UserError
from spectral.runs.folder import RunFolder
from spectral.runs.stored_json import is_number

log = logging.getLogger(__name__)

FORMAT = 2  # of what this version writes; 1 had no number
LARGEST = 10_000_000  # pixels of a spectrum, channels
NEEDED = {"model": dict, "class_names": list, "length": int, "inputs": dict}
OPTIONAL = ("wave_angstrom", "class_priors", "output_prior", "decision_state")
INPUTS = {
    "channels": ["flux"],
    "masked_pixels": "interpolate",
    "transform": {"name": "none"},
    "num_channels": 1,
    "learned": {},
    "baseline": {},
}


def read_model_json(folder: RunFolder) -> dict[str, Any]:
    """The content of a run's model.json under the keys of this version, without the format's number.

    Raises:
        UserError: there is none, since the run is a baseline or has not begun; it is not valid JSON, it lacks what
            nothing can stand for, or its format is newer.
    """
    folder.check_has_model()
    return checked_content(_parsed(folder), str(folder.model))


def checked_content(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The same of what is stored elsewhere, under a name for the messages.

    Raises:
        UserError: it lacks what nothing can stand for, or its format is newer.
    """
    number = content.pop("format", 1)
    if not isinstance(number, int) or number > FORMAT:
        raise UserError(f"{name} has format {number}, this version of Spectral reads up to {FORMAT}: update Spectral.")
    content = _from_format_1(content) if number == 1 else content
    for key, kind in NEEDED.items():
        if not isinstance(content.get(key), kind):
            raise UserError(f"{name} does not describe a classifier: it lacks {key}.")
    if wrong := _wrong_value(content):
        raise UserError(f"{name} does not describe a classifier: {wrong}.")
    content["inputs"] = INPUTS | _known(content["inputs"], INPUTS, f"{name}: inputs.")
    if not _is_count(content["inputs"]["num_channels"]) or not isinstance(content["inputs"]["channels"], list):
        raise UserError(f"{name} does not describe a classifier: inputs names no channels.")
    if not _is_learned(content["inputs"]["learned"], content["inputs"]["num_channels"], content["length"]):
        raise UserError(f"{name} does not describe a classifier: inputs.learned has no number for each pixel.")
    if not isinstance(content["inputs"]["baseline"], dict):
        raise UserError(f"{name} does not describe a classifier: inputs.baseline is no mapping.")
    return _known(content, (*NEEDED, *OPTIONAL), f"{name}: ")


def _wrong_value(content: dict[str, Any]) -> str:
    """What is wrong with the first value of another type or size than it has; empty if none is."""
    names, length = content["class_names"], content["length"]
    if not (names and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)):
        return "class_names is not a list of different names"
    if not _is_count(length):
        return f"length is not a whole number from 1 to {LARGEST:,}"
    sizes = {"wave_angstrom": length, "class_priors": len(names), "output_prior": len(names)}
    for key, size in sizes.items():
        values = content.get(key)
        if values is not None and not (
            isinstance(values, list) and len(values) == size and all(map(is_number, values))
        ):
            return f"{key} is not a list of {size:,} numbers"
    return "" if isinstance(content.get("decision_state", {}), dict) else "decision_state is no mapping"


def _is_learned(learned: Any, num_channels: int, length: int) -> bool:
    """Whether what a transform learned are numbers [S, L] by name."""
    return isinstance(learned, dict) and all(
        isinstance(value, list)
        and len(value) == num_channels
        and all(isinstance(row, list) and len(row) == length and all(map(is_number, row)) for row in value)
        for value in learned.values()
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST


def _parsed(folder: RunFolder) -> dict[str, Any]:
    try:
        content = json.loads(folder.model.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"run={folder.path} has no {folder.model.name}: its training has not begun.") from error
    except OSError as error:
        raise UserError(f"{folder.model} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{folder.model} is not valid JSON: {error}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{folder.model} does not describe a classifier: it is no mapping.")
    return content


def _known(content: dict[str, Any], keys: Any, prefix: str) -> dict[str, Any]:
    """The keys that this version knows; others are ignored with a warning."""
    for key in content:
        if key not in keys:
            log.warning("%s%s is not known to this version of Spectral and is ignored.", prefix, key)
    return {key: value for key, value in content.items() if key in keys}


def _from_format_1(content: dict[str, Any]) -> dict[str, Any]:
    """Version 0.1: flux was the only channel, and masked pixels were 0."""
    inputs = {"masked_pixels": "zero"}
    inputs |= {key: content.pop(key) for key in ("transform", "num_channels") if key in content}
    return {**content, "inputs": inputs}
