"""Catalog columns of the Multimodal Universe's files: those asked for, one value per spectrum."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyarrow import parquet, types

from spectral.data.readers.hdf5_file import is_text, open_hdf5, sound, text_of
from spectral.data.readers.survey_files.layout import UnreadableError, is_of_system


def hdf5_columns(path: Path, wanted: Collection[str]) -> dict[str, list[object]]:
    """Datasets [N] of a file, by their names there.

    Args:
        wanted: names in lower case; others are left out.

    Raises:
        UnreadableError: the file is damaged, or has no spectra.
    """
    with open_hdf5(path) as file:
        if "spectrum_flux" not in file:
            raise UnreadableError(f"wrong layout: no dataset spectrum_flux, there are {', '.join(file) or 'none'}")
        num, columns = len(file["spectrum_flux"]), dict[str, list[object]]()
        for name, dataset in file.items():
            if name.lower() not in wanted or getattr(dataset, "shape", None) != (num,):
                continue
            if is_text(dataset):
                columns[name] = text_of(dataset).tolist()
            elif dataset.dtype.kind in "fiub":
                columns[name] = sound(dataset)[:].tolist()
    return columns


def parquet_columns(path: Path, wanted: Collection[str]) -> dict[str, list[object]]:
    """Columns of a table that hold one value per row.

    Args:
        wanted: names in lower case; others are left out.

    Raises:
        UnreadableError: the file is damaged, or has no spectra.
    """
    with parquet_damage():
        schema = parquet.read_schema(path)
        if "spectrum" not in schema.names or not types.is_nested(schema.field("spectrum").type):
            raise UnreadableError(f"wrong layout: no column spectrum of lists, there are {', '.join(schema.names)}")
        names = [field.name for field in schema if field.name.lower() in wanted and not types.is_nested(field.type)]
        columns: dict[str, list[object]] = parquet.read_table(path, columns=names).to_pydict()
    return columns


@contextmanager
def parquet_damage() -> Iterator[None]:
    """What pyarrow raises within the block, as a reason: UnreadableError."""
    try:
        yield
    except UnreadableError:
        raise
    # pyarrow has many errors for a damaged file, and whatever it is, the file cannot be read.
    except Exception as error:
        if is_of_system(error):
            raise
        words = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableError(f"not a whole Parquet file: {words.rstrip('.')}") from error
