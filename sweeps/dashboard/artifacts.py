"""Pictures in run folders as Optuna's artifacts: served from where they are, never copied."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from optuna.artifacts.exceptions import ArtifactNotFound

PLOTS = "plots"
PREFIX = "artifacts:"  # of the attributes in which Optuna keeps the metadata of an artifact


class PlotArtifacts:
    """An Optuna artifact store that serves `plots/*.png` of run folders, and no other file."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}

    def attributes(self, run_folders: Sequence[Path]) -> dict[str, Any]:
        """The attributes of a trial's artifacts, as Optuna keeps them: attribute -> JSON.

        With several runs, a file name begins with the name of its run folder.
        """
        noted = {}
        for folder in run_folders:
            for path in sorted((folder / PLOTS).glob("*.png")):
                name = path.name if len(run_folders) == 1 else f"{folder.name}-{path.name}"
                identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, path.resolve().as_uri()))
                self._paths[identifier] = path
                meta = {"artifact_id": identifier, "filename": name, "mimetype": "image/png", "encoding": None}
                noted[PREFIX + identifier] = json.dumps(meta)
        return noted

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open a picture. Raises ArtifactNotFound if `attributes` has not named it, or if its file is gone."""
        try:
            return self._paths[artifact_id].open("rb")
        except (KeyError, FileNotFoundError) as error:
            raise ArtifactNotFound(artifact_id) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> NoReturn:
        raise PermissionError("the dashboard shows the pictures in run folders, and accepts no others")

    def remove(self, artifact_id: str) -> NoReturn:
        raise PermissionError("the dashboard does not delete files of a run")
