"""Pictures in run folders as Optuna's artifacts: served from where they are, never copied."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from optuna.artifacts.exceptions import ArtifactNotFound

PLOTS = "plots"
PREFIX = "artifacts:"  # of the attributes in which Optuna keeps what it knows of an artifact


class PlotArtifacts:
    """An artifact store that holds the `plots/*.png` of run folders; serves no other file."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}

    def attributes(self, run_folders: Sequence[Path]) -> dict[str, Any]:
        """What Optuna notes of a trial's artifacts: attribute -> JSON. With several runs names begin with theirs."""
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
        """Raises ArtifactNotFound for what `attributes` has not named, and for a file that is gone."""
        try:
            return self._paths[artifact_id].open("rb")
        except (KeyError, FileNotFoundError) as error:
            raise ArtifactNotFound(artifact_id) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> NoReturn:
        raise PermissionError("the dashboard shows the pictures of run folders, and takes no others")

    def remove(self, artifact_id: str) -> NoReturn:
        raise PermissionError("the dashboard removes no file of a run")
