"""A survey packed ahead of time: `data=packed data.folder=FOLDER`."""

from spectral.data.readers.paths import existing_folder
from spectral.survey import Survey


def open_packed(folder: str) -> Survey:
    """Raises UserError if the folder is not there or holds no pack."""
    return Survey.open(existing_folder(folder, "data.folder"))
