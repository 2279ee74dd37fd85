"""Whether spectra lie on the wavelengths that a run was trained on. L pixels of the run's spectra, l of the others."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.inference.classifier import Classifier

Grid = NDArray[np.float64]


class HasPixels(Protocol):
    """A survey, or what else has spectra of one size."""

    @property
    def num_channels(self) -> int: ...

    @property
    def length(self) -> int: ...

    @property
    def wave_angstrom(self) -> Grid | None: ...

    @property
    def baseline(self) -> Mapping[str, Any]: ...

    @property
    def ivar_masks(self) -> bool | None: ...


def check_same_pixels(classifier: Classifier, survey: HasPixels, run: str) -> str:
    """Compare the pixels of a survey, l <= L of them, with those of a run that is applied to it.

    Args:
        run: the run, as the sentences name it.

    Returns:
        A sentence on what cannot be known, or what is missing; empty if the pixels are the same.

    Raises:
        UserError: the wavelengths differ, or it is not known which of the run's pixels these are.
    """
    mine, theirs, num_missing = classifier.wave_angstrom, survey.wave_angstrom, classifier.length - survey.length
    sizes = f"the data has {survey.length} pixels per spectrum, {run} was trained on {classifier.length}"
    if mine is not None and theirs is not None:
        if not begins_as(mine, theirs):
            raise UserError(
                f"the data's wavelengths, {in_words(theirs)}, are not those of {run}, {in_words(mine)}: "
                "resample the data to the run's grid, by data.grid."
            )
        return f"{sizes}: the last {num_missing} count as bad pixels." if num_missing else ""
    if mine is not None:
        if num_missing:
            raise UserError(
                f"{sizes} from {in_words(mine)}, and the data has no wavelengths: "
                "give it its wavelengths, or all pixels of that grid."
            )
        return f"The data has no wavelengths: its pixels are taken for those of {run}, {in_words(mine)}."
    missing = f"the first pixels are taken for the same, the last {num_missing} count as bad pixels"
    if theirs is not None:
        more = f"; {sizes}: {missing}" if num_missing else ""
        return f"The data has wavelengths, {in_words(theirs)}, {run} has none to compare them with{more}."
    return f"{sizes}, and neither has wavelengths: {missing}." if num_missing else ""


def difference_to_initial(initial: Classifier, own: Classifier, init: str) -> tuple[str, bool]:
    """How the wavelengths of a run differ from those of the run whose weights it begins with.

    Returns:
        A sentence, empty if nothing differs, and whether both have wavelengths, which are not the same.
    """
    there, here = initial.wave_angstrom, own.wave_angstrom
    if there is not None and here is not None:
        if initial.length == own.length and begins_as(there, here):
            return "", False
        return f"{init} was trained on {in_words(there)}, here the spectra have {in_words(here)}", True
    sizes = f"{init} was trained on {initial.length} pixels per spectrum, here there are {own.length}"
    if there is None and here is None:
        return (f"{sizes}, and neither has wavelengths" if initial.length != own.length else ""), False
    with_wave, without = (init, "this data") if here is None else ("this data", init)
    return f"{with_wave} has wavelengths, {without} has none: whether they are the same is not known", False


def begins_as(grid: Grid, other: Grid) -> bool:
    """Whether a grid is, to a tenth of a pixel, the beginning of a first one that is not shorter."""
    grid = grid[: len(other)]
    step = np.abs(np.diff(grid)).min() if len(grid) > 1 else 1.0
    return len(grid) == len(other) and bool(np.allclose(grid, other, rtol=0, atol=step / 10))


def in_words(grid: Grid) -> str:
    return f"{grid[0]:.1f} to {grid[-1]:.1f} Angstrom in {len(grid):,} pixels"
