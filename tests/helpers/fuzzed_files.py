"""Files of each layout for fuzzing, and what reading a damaged one may do."""

import tempfile
from pathlib import Path

from reader_cases.case import made_spectra
from reader_cases.desi import DesiCoaddCase
from reader_cases.lamost import LamostGzipCase, LamostImageCase, LamostTableCase
from reader_cases.sdss import SpecLiteCase, write_plate

from spectral.data.readers.survey_files.catalog_table import read_catalog_table
from spectral.data.readers.survey_files.desi import DesiLayout
from spectral.data.readers.survey_files.lamost import LamostLayout
from spectral.data.readers.survey_files.layout import Layout, Spectrum, UnreadableError
from spectral.data.readers.survey_files.sdss import PlateLayout, SpecLayout
from spectral.errors import UserError

LAMOST, SPEC, PLATE = LamostLayout(["any"], "and"), SpecLayout(["any"], "and"), PlateLayout(["any"], "or")
DESI = DesiLayout("coadd", ["any"])


def sound_files() -> dict[str, tuple[Layout, bytes]]:
    """Name of a file -> its layout and content."""
    spectra = made_spectra(2, ragged=False)
    with tempfile.TemporaryDirectory() as folder:
        cases = (LamostImageCase(), LamostGzipCase(), LamostTableCase(), SpecLiteCase(), DesiCoaddCase())
        for case in cases:
            (Path(folder) / case.name).mkdir()
            case.write(Path(folder) / case.name, spectra)
        write_plate(Path(folder) / "plate", 266, spectra, with_classes=False)
        found: dict[str, tuple[Layout, bytes]] = {}
        for case, layout in zip(
            (*(c.name for c in cases), "plate"), (LAMOST, LAMOST, LAMOST, SPEC, DESI, PLATE), strict=True
        ):
            path = min((Path(folder) / case).rglob("*.fits*"))
            found[f"{case}-{path.name}" if case != "plate" else path.name] = (layout, path.read_bytes())
    return found


def read_all(layout: Layout, path: Path) -> None:
    """All that the readers do with a file; only the errors that they promise are caught."""
    for read in (lambda: layout.entries(path), lambda: layout.read(path, [0, 1])):
        try:
            _check(read())
        except UnreadableError as error:
            assert str(error) and "\n" not in str(error)
    try:
        read_catalog_table(str(path), {})
    except UserError as error:
        assert "\n" not in str(error)


def _check(results: object) -> None:
    assert isinstance(results, list)
    for result in results:
        if isinstance(result, Spectrum):
            assert result.flux.shape == result.wave_angstrom.shape and result.flux.ndim == 1
