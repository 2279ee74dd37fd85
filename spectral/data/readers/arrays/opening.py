"""The reader for a file of arrays, by the file's suffix."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from spectral.configs.array_files import FITS, HDF5, OF_PIXEL_COLUMNS, USED_BY, unused_options
from spectral.data.readers.arrays.array_reader import ArrayReader
from spectral.data.readers.arrays.matrix import MatrixReader
from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.parquet_reader import ParquetReader
from spectral.data.readers.arrays.train_test import TrainTestReader
from spectral.data.readers.contract import Reader
from spectral.data.readers.paths import existing_file, refuse_fits_folder
from spectral.errors import UserError, nearest

log = logging.getLogger(__name__)

READERS: dict[str, Callable[[Path, str, ArrayOptions], Reader]] = {
    ".npz": ArrayReader,
    ".npy": ArrayReader,
    **dict.fromkeys((*HDF5, *FITS), ArrayReader),
    ".parquet": ParquetReader,
    ".csv": MatrixReader,
    ".tsv": MatrixReader,
}
UNKNOWN = {  # what to do with files that people have and no reader takes
    **dict.fromkeys(
        (".ts", ".arff"),
        "the archive's TSV can be read, or what aeon's load_from_ts_file or load_from_arff_file gives, as flux "
        "[N, C, L] and label of an NPZ",
    ),
    **dict.fromkeys(
        (".txt", ".dat"),
        "a folder of files of wavelength and flux is read by data=two_column, and a matrix of text, a spectrum a row, "
        "once its name ends in .csv",
    ),
}


def open_arrays(
    path: str,
    test_path: str | None = None,
    labels: str | None = None,
    flux_key: str | None = None,
    wave_key: str | None = None,
    ivar_key: str | None = None,
    mask_key: str | None = None,
    id_key: str | None = None,
    label_key: str | None = None,
    group_key: str | None = None,
    extra: Sequence[str] = (),
    flux_columns: Sequence[str] | None = None,
    header: bool | None = None,
    wave_unit: str | None = None,
    channels_last: bool | None = None,
    wave_medium: str | None = None,
) -> Reader:
    """The arguments are the fields of ArraysConfig.

    Raises:
        UserError: a file is not there or of no known kind, or an option is not for its kind.
    """
    keys = (flux_key, wave_key, ivar_key, mask_key, id_key, label_key, group_key)
    ends = None if flux_columns is None else (flux_columns[0], flux_columns[1])
    options = ArrayOptions(labels, *keys, tuple(extra), ends, header, wave_unit, channels_last, wave_medium)
    paths = {"data.path": path} | ({} if test_path is None else {"data.test_path": test_path})
    kinds = {_kind(given, key) for key, given in paths.items()}
    _refuse_unused(options, kinds, path)
    train = _open(path, "data.path", options)
    if test_path is None:
        return train
    if labels is not None:
        raise UserError(
            f"data.labels={labels} cannot go with data.test_path: put a column 'split' into the labels instead."
        )
    test = _open(test_path, "data.test_path", options)
    return TrainTestReader(_without_ivar_of_one(train, test), _without_ivar_of_one(test, train))


def _kind(path: str, key: str) -> str:
    """How a file's name ends. Raises UserError if it is not there or of no known kind."""
    refuse_fits_folder(path, key)
    file = existing_file(path, key)
    suffix = next((ending for ending in READERS if file.name.lower().endswith(ending)), file.suffix.lower())
    if suffix not in READERS:
        raise UserError(f"{key}={path} is of no known kind: {UNKNOWN.get(suffix) or nearest(suffix, READERS)}.")
    return suffix


def _refuse_unused(options: ArrayOptions, kinds: set[str], path: str) -> None:
    """Raise UserError for an option that no file here has a use for; one that is false or empty asks for nothing.

    For `extra` it is a warning: earlier versions took it, and a run that has it can be resumed.
    """
    if options.extra and kinds.isdisjoint(OF_PIXEL_COLUMNS):
        log.warning(
            "data.extra=%s does nothing with data.path=%s: it is for %s.",
            _written(options.extra),
            path,
            ", ".join(OF_PIXEL_COLUMNS),
        )
    for name in unused_options(vars(options), kinds):
        raise UserError(
            f"data.{name}={_written(getattr(options, name))} cannot go with data.path={path}: it is for "
            f"{', '.join(USED_BY[name])}."
        )


def _open(path: str, key: str, options: ArrayOptions) -> Reader:
    if options.labels is not None:
        existing_file(options.labels, "data.labels")
    return READERS[_kind(path, key)](existing_file(path, key), key, options)


def _without_ivar_of_one(reader: Reader, other: Reader) -> Reader:
    """A reader of Parquet without an ivar that no key asks for and another such file lacks: no key turns it off."""
    if not (isinstance(reader, ParquetReader) and isinstance(other, ParquetReader)) or reader.options.ivar_key:
        return reader
    if "ivar" not in reader.ivar_and_mask or "ivar" in other.ivar_and_mask:
        return reader
    return replace(reader, without_ivar=f"{other.key} has none that fits")


def _written(value: object) -> str:
    """An option as the command line has it."""
    if isinstance(value, tuple):
        return f"[{','.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
