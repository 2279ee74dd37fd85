"""Which options of data=arrays are for which kinds of files. Imports nothing heavy."""

from collections.abc import Iterable, Mapping
from typing import Any

HDF5, FITS = (".h5", ".hdf5"), (".fits", ".fit", ".fits.gz", ".fit.gz")
OF_ARRAYS = (".npz", ".npy", *HDF5, *FITS)
OF_PIXEL_COLUMNS = (".parquet", ".csv", ".tsv")
USED_BY = {  # an option -> the kinds of files that it is for; those that are not here are for all
    "labels": OF_ARRAYS,
    "flux_key": (*OF_ARRAYS, ".parquet"),
    "wave_key": OF_ARRAYS,
    "ivar_key": (*OF_ARRAYS, ".parquet"),
    "mask_key": (*OF_ARRAYS, ".parquet"),
    "channels_last": (*OF_ARRAYS, ".parquet"),
    "flux_columns": OF_PIXEL_COLUMNS,
    "header": (".csv", ".tsv"),
}


def unused_options(options: Mapping[str, Any], paths: Iterable[str]) -> list[str]:
    """The given options that no file has a use for; one that is false or empty asks for nothing."""
    names = [path.lower() for path in paths]
    given = [name for name in USED_BY if options.get(name) not in (None, False, (), [])]
    return [option for option in given if not any(name.endswith(USED_BY[option]) for name in names)]
