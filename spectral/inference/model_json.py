"""Read model.json, as this version of Spectral or an earlier one has written it.

A key that is missing has its default, an unknown one is ignored with a warning, a newer format is refused.
"""

import json
import logging
import math
from typing import Any

from spectral.errors import UserError
from spectral.runs.folder import RunFolder
from spectral.runs.stored_json import is_number

log = logging.getLogger(__name__)

FORMAT = 4  # the newest that this version reads, and writes of a run with evaluate_shifts; 1 had no number
OF_ENSEMBLE = 3  # without evaluate_shifts
OF_ONE_NETWORK = 2  # what it writes of any other run, so that version 0.2 reads it too
LARGEST = 10_000_000  # pixels of a spectrum, channels
NEEDED = {"model": dict, "class_names": list, "length": int, "inputs": dict}
OPTIONAL = (
    "wave_angstrom",
    "class_priors",
    "output_prior",
    "decision_state",
    "evaluate_shifts",
    "members",
    "further_inputs",
)
MOST_SHIFTS = 1000  # of evaluate_shifts
INPUTS: dict[str, Any] = {
    "channels": ["flux"],
    "masked_pixels": "interpolate",
    "transform": {"name": "none"},
    "num_channels": 1,
    "learned": {},
    "baseline": {},
    "ivar_masks": None,
}
MEMBER = {"model": {}, "weight": 1.0, "output_prior": [], "inputs": 0, "run": "", "weights": ""}


def read_model_json(folder: RunFolder, key: str = "run") -> dict[str, Any]:
    """The content of a run's model.json under the keys of this version, without the format's number.

    Args:
        key: of the command, for messages; with "init" the folder may be a pretraining's, which has no classes.

    Raises:
        UserError: there is none, since the run is a baseline or has not begun; it is not valid JSON, it lacks what
            nothing can stand for, or its format is newer.
    """
    folder.check_has_model(key)
    return checked_content(_parsed(folder), str(folder.model), has_classes=not folder.is_pretraining)


def checked_content(content: dict[str, Any], name: str, has_classes: bool = True) -> dict[str, Any]:
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
    if wrong := _wrong_value(content, has_classes):
        raise UserError(f"{name} does not describe a classifier: {wrong}.")
    content["inputs"] = _checked_inputs(content["inputs"], content["length"], name, "inputs")
    if "members" in content:
        _check_members(content, name)
    return _known(content, (*NEEDED, *OPTIONAL), f"{name}: ")


def _checked_inputs(inputs: dict[str, Any], length: int, name: str, key: str) -> dict[str, Any]:
    """Inputs with the default of each key that they lack. Raises UserError if they are not inputs."""
    inputs = {**INPUTS, **_known(inputs, INPUTS, f"{name}: {key}.")}
    if not _is_count(inputs["num_channels"]) or not isinstance(inputs["channels"], list):
        raise UserError(f"{name} does not describe a classifier: {key} names no channels.")
    if not _is_learned(inputs["learned"], inputs["num_channels"], length):
        raise UserError(f"{name} does not describe a classifier: {key}.learned has no number for each pixel.")
    if not isinstance(inputs["baseline"], dict):
        raise UserError(f"{name} does not describe a classifier: {key}.baseline is no mapping.")
    if not isinstance(inputs["ivar_masks"], bool | None):
        raise UserError(f"{name} does not describe a classifier: {key}.ivar_masks is neither true, false nor null.")
    return inputs


def _check_members(content: dict[str, Any], name: str) -> None:
    """Check the members of an ensemble in place, each with the default of a key that it lacks.

    Raises:
        UserError: the sentence names the first key that is wrong.
    """
    members, further = content["members"], content.setdefault("further_inputs", [])
    if not isinstance(further, list) or not all(isinstance(inputs, dict) for inputs in further):
        raise UserError(f"{name} does not describe a classifier: further_inputs is not a list of inputs.")
    content["further_inputs"] = [
        _checked_inputs(inputs, content["length"], name, f"further_inputs.{i}") for i, inputs in enumerate(further)
    ]
    size = len(content["class_names"])
    if not _are_shares(content.get("output_prior"), size):
        raise UserError(f"{name} does not describe a classifier: output_prior is not a list of {size:,} shares.")
    if not isinstance(members, list) or not members or not all(isinstance(member, dict) for member in members):
        raise UserError(f"{name} does not describe a classifier: members is not a list of networks.")
    for i, member in enumerate(members):
        members[i] = MEMBER | _known(member, MEMBER, f"{name}: members.{i}.")
        if wrong := _wrong_in_member(members[i], size, 1 + len(further)):
            raise UserError(f"{name} does not describe a classifier: members.{i}.{wrong}.")


def _wrong_in_member(member: dict[str, Any], size: int, num_inputs: int) -> str:
    """What is wrong with the first value of a member; empty if nothing is."""
    weight, inputs = member["weight"], member["inputs"]
    if not isinstance(member["model"], dict) or not member["model"]:
        return "model is no network"
    if not is_number(weight) or not 0 < weight < math.inf:
        return "weight is not a positive number"
    if not _are_shares(member["output_prior"], size):
        return f"output_prior is not a list of {size:,} shares"
    if not isinstance(inputs, int) or isinstance(inputs, bool) or not 0 <= inputs < num_inputs:
        return f"inputs is not a whole number from 0 to {num_inputs - 1}"
    return next((f"{key} is not text" for key in ("run", "weights") if not isinstance(member[key], str)), "")


def _are_shares(values: Any, size: int) -> bool:
    are_numbers = isinstance(values, list) and len(values) == size and all(map(is_number, values))
    return are_numbers and all(0 <= value <= 1 for value in values)


def _wrong_value(content: dict[str, Any], has_classes: bool) -> str:
    """What is wrong with the first value of another type or size than it has; empty if none is."""
    names, length = content["class_names"], content["length"]
    are_names = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    if not are_names or bool(names) != has_classes:
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
    if not _are_shifts(content.get("evaluate_shifts", []), length):
        return f"evaluate_shifts is not a list of at most {MOST_SHIFTS:,} whole numbers, {1 - length} to {length - 1}"
    return "" if isinstance(content.get("decision_state", {}), dict) else "decision_state is no mapping"


def _are_shifts(values: Any, length: int) -> bool:
    are_whole = isinstance(values, list) and all(isinstance(by, int) and not isinstance(by, bool) for by in values)
    return are_whole and len(values) <= MOST_SHIFTS and all(abs(by) < length for by in values)


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
