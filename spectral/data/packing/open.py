"""The survey of a data config, and what is known of it without packing it."""

from pathlib import Path
from typing import Any

from spectral.configs.data import DataConfig, readers
from spectral.configs.root import typed
from spectral.data.packing.like_run import LengthCheckedReader, RunSpectra, is_grid_open, like_run
from spectral.data.packing.pack import cache_folder, open_or_pack
from spectral.errors import UserError
from spectral.survey import Survey, is_pack


def open_survey(data: Any, cache_dir: Path, run: RunSpectra | None = None) -> Survey:
    """The survey of a typed data config: packed already, or packed now.

    Args:
        run: that is applied to it; the data is made like its spectra, as far as the config leaves that open. Of spectra
            of unequal length longer ones are left out, if bad rows are.
    """
    source = readers.build(data, cache_dir=cache_dir)
    if isinstance(source, Survey):
        return source
    if run is None:
        return open_or_pack(source, data, cache_dir)
    data = like_run(data, source, run)
    survey = open_or_pack(source, data, cache_dir)
    if run.length and survey.length > run.length and _leaves_out_longer(survey, data):
        return open_or_pack(LengthCheckedReader(source, run.length), data, cache_dir)
    return survey


def _leaves_out_longer(survey: Survey, data: DataConfig) -> bool:
    """Whether spectra that have too many pixels are bad rows: those on a grid have its pixels."""
    return survey.wave_angstrom is None and data.ragged == "pad" and data.on_bad == "skip"


def data_like_run(data: Any, cache_dir: Path, run: RunSpectra) -> Any:
    """A typed data config made like the spectra of a run, see `like_run`."""
    source = readers.build(data, cache_dir=cache_dir)
    return data if isinstance(source, Survey) else like_run(data, source, run)


def current_fingerprints(config: Any) -> list[str]:
    """The fingerprint that the data of a composed config has now, under the name of each version.

    Data that was never packed in this cache has none yet. A pack whose source has changed is packed again, as the next
    run would do.

    Returns:
        Empty if there is none, or the data cannot be opened here: a run says why.
    """
    try:
        experiment = typed(config)
        cache_dir = Path(experiment.cache_dir)
        source = readers.build(experiment.data, cache_dir=cache_dir)
        if not isinstance(source, Survey):
            if experiment.init is not None and is_grid_open(experiment.data, source):
                return []  # its grid is that of another run
            if not is_pack(cache_folder(source, experiment.data, cache_dir)):
                return []
            source = open_or_pack(source, experiment.data, cache_dir)
    except UserError:
        return []
    return list(dict.fromkeys(name for name in (source.fingerprint, source.former_fingerprint) if name is not None))
