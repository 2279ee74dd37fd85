"""What is said of a class, or of a survey, that has too few spectra for a split, and which keys settle it."""

from collections.abc import Sequence
from typing import Any

from spectral.configs.pasted_overrides import pasted_list, pasted_nulls
from spectral.errors import UserError


class RareClassError(UserError):
    """Raised where a split is made; `settled` adds the keys of the data.

    Args:
        class_name: None if it is the survey as a whole that is too small.
    """

    def __init__(self, sentence: str, class_name: str | None = None) -> None:
        super().__init__(sentence)
        self.class_name = class_name


def rare_class(class_name: str | None, num: int, has_groups: bool, parts: Sequence[str], split: Any) -> RareClassError:
    """The error of a class of `num` units, spectra or groups of them.

    Args:
        parts: of the split.
        split: its typed config.
    """
    whose = "The survey" if class_name is None else f"Class '{class_name}'"
    what = ("spectrum" if num == 1 else "spectra") + ("" if not has_groups else " or group" + "s" * (num != 1))
    if num >= len(parts):
        return RareClassError(
            f"No division was found that has {whose[0].lower()}{whose[1:]} in each of the {len(parts)} parts "
            f"{', '.join(parts)}, though it has {num} labelled {what}: more of them are needed"
            f"{_fewer_parts(len(parts) - 1, parts, split)}."
        )
    return RareClassError(
        f"{whose} has {num} labelled {what}, too few for the {len(parts)} parts {', '.join(parts)}: "
        f"more of them are needed{_fewer_parts(num, parts, split)}.",
        class_name,
    )


def _fewer_parts(num: int, parts: Sequence[str], split: Any) -> str:
    num_folds = num - ("test" in parts)
    if hasattr(split, "num_folds"):
        return f", or fewer parts by split.num_folds={num_folds}" if num_folds >= 2 else ""
    fits = hasattr(split, "test") and "test" in parts and num >= len(parts) - 1
    return ", or fewer parts by split.test=0" if fits else ""


def settled(error: RareClassError, data: Any, class_names: Sequence[str]) -> UserError:
    """The same error with what leaves the class out, if two others are left to train on.

    Args:
        data: its typed config.
        class_names: those that have labelled spectra.
    """
    others = [name for name in class_names if name != error.class_name]
    if error.class_name is None or len(others) < 2:
        return error
    named = f"{pasted_list('data.class_names', others)} and data.on_bad=skip"
    words = [word for word, name in getattr(data, "class_map", {}).items() if name == error.class_name]
    nulls = pasted_nulls("data.class_map", [error.class_name, *words])
    if hasattr(data, "class_map") and nulls is not None:
        way = f"{nulls} leaves its labels out"
    elif hasattr(data, "class_names"):
        way = f"{named} leaves it out"
    else:
        way = f"packing it again with {named} leaves it out"
    return UserError(f"{str(error).removesuffix('.')}; {way}.")
