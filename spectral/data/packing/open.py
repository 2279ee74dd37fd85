"""The survey of a data config, and what is known of it without packing it."""

from pathlib import Path
from typing import Any

from spectral.configs.data import readers
from spectral.configs.root import typed
from spectral.data.packing.like_run import RunSpectra, is_grid_open, like_run
from spectral.data.packing.pack import cache_folder, open_or_pack
from spectral.errors import UserError
from spectral.survey import Survey, is_pack


def open_survey(data: Any, cache_dir: Path, run: RunSpectra | None = None) -> Survey:
    """The survey of a typed data config: packed already, or packed now.

    Args:
        run: that is applied to it; the data is made like its spectra, as far as the config leaves that open.
    """
    source = readers.build(data, cache_dir=cache_dir)
    if isinstance(source, Survey):
        return source
    return open_or_pack(source, like_run(data, source, run) if run else data, cache_dir)


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
