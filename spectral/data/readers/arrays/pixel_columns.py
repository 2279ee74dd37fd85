"""Which columns of a table with one column a pixel are pixels, and which belong to the catalog."""

from collections.abc import Sequence

from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.columns import find_columns
from spectral.errors import UserError


def split_columns(names: Sequence[str], options: ArrayOptions, source: str) -> tuple[list[int], list[int]]:
    """Positions of the pixel columns, which stand together, and of the catalog's, which stand before or after them.

    Pixels are all columns but those with the catalog's usual names, those named by the user, and options.extra.

    Raises:
        UserError: there are no pixels, another column stands among them, or a named column is not there.
    """
    missing = [name for name in options.extra if name not in names]
    if missing:
        raise UserError(f"{source} has no column '{missing[0]}' (data.extra).")
    aside = {*find_columns(names, options.catalog_keys, source), *options.extra}
    pixels = [position for position, name in enumerate(names) if name not in aside]
    if not pixels:
        raise UserError(f"{source} has no columns of pixels beside {', '.join(sorted(aside))}.")
    catalog = [position for position, name in enumerate(names) if name in aside]
    between = [names[position] for position in catalog if pixels[0] < position < pixels[-1]]
    if between:
        raise UserError(f"{source} has the column '{between[0]}' among its pixels, which must stand together.")
    return pixels, catalog
