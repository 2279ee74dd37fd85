"""Which columns of a table with one column a pixel are pixels, and which belong to the catalog."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.wave_axis import WITH_UNIT
from spectral.data.readers.columns import POSSIBLE_IDS, among, check_names, find_columns, is_index, shortened
from spectral.errors import UserError

log = logging.getLogger(__name__)

NUMBERED = re.compile(r"(.*?)(\d+(?:[.,]\d+)?)(\D*)")  # pixel_12, 400.5, V7
WAVE = re.compile(r"(wave|lambda|loglam|wl$|wn$).*", re.IGNORECASE | re.DOTALL)  # names of a column of wavelengths


@dataclass(frozen=True)
class Columns:
    """Positions in a table, in ascending order."""

    pixels: list[int]  # they stand together
    catalog: list[int]
    left_out: list[int]  # an index that pandas wrote

    @property
    def flux(self) -> slice:
        return slice(self.pixels[0], self.pixels[-1] + 1)


def split_columns(names: Sequence[str], options: ArrayOptions, source: str) -> Columns:
    """Tell pixels from other columns by their names.

    Pixels are the columns from the first to the last of options.flux_columns. Without it they are those named by
    numbers, or by one word and a number (p0, p1, ...), if these outnumber what else is there. If the names do not say,
    but there is options.extra, all are pixels but these, the catalog's usual names, and those named by the user.

    Raises:
        UserError: there are no pixels, which columns they are is in doubt, another column stands among them, a name is
            there twice, or a named column is not there.
    """
    check_names(names, source)
    wanted = [*options.extra, *(options.flux_columns or ())]
    keys = ["extra"] * len(options.extra) + ["flux_columns"] * 2
    for name, key in zip(wanted, keys, strict=False):
        if name not in names:
            raise UserError(f"{source} has no column '{name}' (data.{key}): {among(name, names)}.")
    possible_ids = [name for name in names if name.lower() in POSSIBLE_IDS]
    aside = {*find_columns(names, options.catalog_keys, source), *options.extra, *possible_ids}
    open_ = [i for i, name in enumerate(names) if name not in aside and not is_index(name)]
    pixels = _given(names, options, source) if options.flux_columns else _found(names, open_, options, source)
    if not pixels:
        raise UserError(f"{source} has no columns of pixels: {shortened(names)}.")
    between = [i for i in range(pixels[0], pixels[-1]) if i not in set(pixels)]
    if between:
        name = names[between[0]]
        raise UserError(f"{source} has the column '{name}' among its pixels, which must stand together.")
    others = [i for i in range(len(names)) if i not in set(pixels)]
    return Columns(pixels, *([i for i in others if is_index(names[i]) == left_out] for left_out in (False, True)))


def _given(names: Sequence[str], options: ArrayOptions, source: str) -> list[int]:
    assert options.flux_columns is not None
    first, last = (names.index(name) for name in options.flux_columns)
    found = find_columns(names[first : last + 1], {}, source)
    mine = {name for name in (*options.catalog_keys.values(), *options.extra) if name}
    inside = sorted({*found, *mine} & set(names[first : last + 1]))
    if first > last or inside:
        what = f"has the column '{inside[0]}' in it" if inside else "ends before it begins"
        raise UserError(f"data.flux_columns={list(options.flux_columns)} {what}, in {source}.")
    _warn_of_channels(names[first : last + 1], source)
    return list(range(first, last + 1))


def _warn_of_channels(pixels: Sequence[str], source: str) -> None:
    """Warn of pixels I_0, I_1, ..., II_0, II_1, ...: runs of equal length, each of one word and numbers."""
    runs = [(form, len(list(run))) for form, run in groupby(pixels, _form)]
    num = runs[0][1]
    if len(runs) > 1 and num > 1 and all(form is not None and length == num for form, length in runs):
        log.warning(
            "The pixels of %s look like %d channels of %d, and are read as one channel of %d: a table with a column "
            "for each pixel has one channel; an NPZ, or lists in Parquet, have several.",
            *(source, len(runs), num, len(pixels)),
        )


def _found(names: Sequence[str], candidates: list[int], options: ArrayOptions, source: str) -> list[int]:
    """The pixels among some positions."""
    waves = [names[i] for i in candidates if WAVE.fullmatch(names[i]) and not NUMBERED.fullmatch(names[i])]
    if waves:
        raise UserError(
            f"{source} has a column '{waves[0]}': each row must be a spectrum, not a wavelength, so write the table "
            f"transposed (in pandas: table.set_index('{waves[0]}').T), or name the column in data.extra."
        )
    largest = most_alike(names, candidates)
    rest = [names[i] for i in candidates if i not in set(largest)]
    if candidates and len(rest) >= len(largest):
        if options.extra:
            return candidates
        raise UserError(
            f"{source} does not say which columns are flux ({shortened(names[i] for i in candidates)}): name the first "
            "and the last of them in data.flux_columns=[FIRST,LAST], or those that are none in data.extra=[NAME,...]."
        )
    return largest


def most_alike(names: Sequence[str], candidates: Iterable[int]) -> list[int]:
    """Of some positions those of the most columns that are named by numbers, or by one word and a number."""
    forms: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in candidates:
        if (form := _form(names[i])) is not None:
            forms[form].append(i)
    return max(forms.values(), key=len, default=[])


def _form(name: str) -> tuple[str, str] | None:
    """What stands around the number in a name; None if there is no number."""
    if match := WITH_UNIT.fullmatch(name):
        return "", (match[2] or "").lower()
    match = NUMBERED.fullmatch(name)
    return (match[1].lower(), match[3].lower()) if match else None
