"""What is said of a wrong key of a search's axes: their names have dots, which Hydra takes for levels."""

import shlex
from collections.abc import Sequence

from omegaconf.errors import OmegaConfBaseException

from spectral.errors import did_you_mean

SPACE = "sweep.space"
# Of an axis, in any of its forms: what stands behind its name.
AXIS_FIELDS = (
    "low",
    "high",
    "step",
    "log",
    "type",
    "values",
    "value",
    "min_length",
    "max_length",
    "element",
    "size",
    "minimum",
    "when",
)


def axis_sentence(error: OmegaConfBaseException, argument: str) -> str | None:
    """The sentence for an axis that a search does not have, with the form that gives it; None for other errors.

    Args:
        error: what merging the argument raised.
        argument: as the command line has it; empty if it is not known.
    """
    key, _, value = argument.lstrip("+").partition("=")
    at_fault = str(error.full_key)
    if key == at_fault == SPACE and str(error).startswith("Cannot merge") and not value.startswith("["):
        told = "a list does not replace a mapping, nor the reverse; the axis itself does, as in model.width=8,16 or"
        return f"{argument} cannot be merged into the search's axes: {told} 'model.width=interval(8,16)'."
    if error.parent_node is None or not at_fault.startswith(f"{SPACE}.") or not key.startswith(SPACE):
        return None
    known = [str(name) for name in error.parent_node._get_root().sweep.space]
    axis, fields = _split((at_fault if key == SPACE else key).removeprefix(f"{SPACE}."), known)
    closest = "" if axis in known else did_you_mean(axis, known)
    form = f"+{argument.lstrip('+')}" if key == SPACE else _form(axis, fields, value, axis in known)
    return f"{at_fault} is not a known key: {closest}an axis is given whole, as in {shlex.quote(form)}."


def _form(axis: str, fields: Sequence[str], value: str, is_known: bool) -> str:
    """What gives the axis."""
    if is_known and not fields and value.startswith("["):  # no list replaces a mapping
        return f"{axis}={value[1:-1]}"
    for field in reversed(fields):
        value = f"{{{field}:{value}}}"
    return f"+{SPACE}={{{axis}:{value}}}"


def _split(path: str, known: Sequence[str]) -> tuple[str, list[str]]:
    """An axis and the fields behind it: of the known axes the longest, else what comes before the first field."""
    parts = path.split(".")
    ends = [i for i in range(1, len(parts) + 1) if i == len(parts) or parts[i] in AXIS_FIELDS]
    end = max((i for i in ends if ".".join(parts[:i]) in known), default=ends[0])
    return ".".join(parts[:end]), parts[end:]
