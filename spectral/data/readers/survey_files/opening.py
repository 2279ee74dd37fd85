"""The reader of a survey's files, from the fields of its config."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spectral.data.readers.survey_files.desi import DesiLayout
from spectral.data.readers.survey_files.lamost import LamostLayout
from spectral.data.readers.survey_files.layout import Layout
from spectral.data.readers.survey_files.listing import Source
from spectral.data.readers.survey_files.multimodal_universe import MultimodalUniverseLayout
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.data.readers.survey_files.sdss import PlateLayout, SpecLayout
from spectral.data.readers.survey_files.two_column import TwoColumnLayout

KEYS = ("id_key", "label_key", "group_key", "redshift_key", "snr_key")


def open_lamost(
    bad_flags: Sequence[str],
    mask: str,
    class_names: Sequence[str] | None = None,
    num_workers: int | None = None,
    cache_dir: Path | None = None,
    **source: Any,
) -> SurveyFilesReader:
    """LAMOST's low-resolution spectra; the arguments are the fields of LamostConfig."""
    return _open(LamostLayout(bad_flags, mask), source, class_names, num_workers, cache_dir)


def open_sdss(
    kind: str,
    bad_flags: Sequence[str],
    mask: str,
    class_names: Sequence[str] | None = None,
    num_workers: int | None = None,
    cache_dir: Path | None = None,
    **source: Any,
) -> SurveyFilesReader:
    """SDSS's optical spectra; the arguments are the fields of SdssConfig."""
    layout: Layout = SpecLayout(bad_flags, mask) if kind == "spec" else PlateLayout(bad_flags, mask)
    return _open(layout, source, class_names, num_workers, cache_dir)


def open_desi(
    kind: str,
    bad_flags: Sequence[str],
    class_names: Sequence[str] | None = None,
    num_workers: int | None = None,
    cache_dir: Path | None = None,
    **source: Any,
) -> SurveyFilesReader:
    """DESI's spectra; the arguments are the fields of DesiConfig."""
    return _open(DesiLayout(kind, bad_flags), source, class_names, num_workers, cache_dir)


def open_multimodal_universe(
    class_names: Sequence[str] | None = None,
    num_workers: int | None = None,
    cache_dir: Path | None = None,
    **source: Any,
) -> SurveyFilesReader:
    """Spectra of the Multimodal Universe; the arguments are the fields of MultimodalUniverseConfig."""
    keys = [source[key] for key in KEYS if source.get(key)]
    return _open(MultimodalUniverseLayout(keys), source, class_names, num_workers, cache_dir)


def open_two_column(
    columns: Sequence[str],
    wave_unit: str,
    wave_medium: str,
    class_names: Sequence[str] | None = None,
    num_workers: int | None = None,
    cache_dir: Path | None = None,
    **source: Any,
) -> SurveyFilesReader:
    """Text files of columns; the arguments are the fields of TwoColumnConfig."""
    layout = TwoColumnLayout(source["folder"], columns, wave_unit, wave_medium)
    return _open(layout, source, class_names, num_workers, cache_dir)


def _open(
    layout: Layout,
    source: Mapping[str, Any],
    class_names: Sequence[str] | None,
    num_workers: int | None,
    cache_dir: Path | None,
) -> SurveyFilesReader:
    """Raises UserError as SurveyFilesReader does."""
    names = None if class_names is None else tuple(class_names)
    values = {**source, "class_map": tuple(source["class_map"].items()), "class_names": names}
    return SurveyFilesReader(layout, Source(**values), cache_dir, num_workers)
