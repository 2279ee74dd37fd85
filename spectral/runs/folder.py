"""The files of one run: their names, what they hold, and how they are written.

config.yaml          the whole resolved config, written first
metrics.jsonl        one row per epoch, appended and flushed
last.ckpt            everything needed to resume, replaced after each epoch
best.safetensors     weights of the best epoch so far
init.json            only with `init=FOLDER`: the weights that the run began with
model.json           rebuilds the network around those weights, without pickle or Hydra
predictions.parquet  validation and test, one row per spectrum
plots/               pictures of the training and of the scores, written at the end
tracker.json         the tracker's name for the run, and the last step that was logged
result.json          written last: a run that has it is finished
"""

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from spectral.configs.stored import read_stored
from spectral.errors import UserError
from spectral.files import space_errors, write_bytes, write_json
from spectral.runs.identity import as_begun, check_same


class RunFolder:
    """The run folder at `path`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoint = self.path / "last.ckpt"
        self.weights = self.path / "best.safetensors"
        self.model = self.path / "model.json"
        self.predictions = self.path / "predictions.parquet"
        self.plots = self.path / "plots"
        self.initial = self.path / "init.json"
        self.result = self.path / "result.json"

    @classmethod
    def existing(cls, path: Path | str) -> "RunFolder":
        """The folder of an existing run. Raises UserError if there is no run."""
        folder = cls(path)
        if not folder.config.is_file():
            raise UserError(f"run={path} is not a run folder: it has no {folder.config.name}.")
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder, so that one process at a time runs there. A killed process releases the lock.

        The folder is deleted afterwards if the run never began.

        Raises:
            UserError: another process has the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / "run.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise UserError(f"run_dir={self.path} is in use: another process is running this experiment.") from error
        for part in self.path.glob(".*.part"):  # what a killed process was writing
            part.unlink()
        try:
            yield
        finally:
            if not self.config.exists():
                self._discard()
            lock.release()

    def _discard(self) -> None:
        if {path.name for path in self.path.iterdir()} <= {"run.lock", "run.log"}:
            shutil.rmtree(self.path)

    def as_begun(self, config: dict[str, Any], chosen: Collection[str]) -> dict[str, Any]:
        """A command's config as it is for the run that is here, if there is one: see `identity.as_begun`."""
        return as_begun(self.path, self._stored(), config, chosen) if self.config.exists() else config

    def claim(self, config: Mapping[str, Any]) -> None:
        """Write the config. If the folder has one already, check that it is the same, so that runs are never mixed.

        Raises:
            UserError: the folder belongs to a run with another config, see `check_same`.
        """
        if self.config.exists():
            check_same(self.path, self._stored(), config, is_finished=self.result.exists())
        else:
            write_bytes(self.config, OmegaConf.to_yaml(OmegaConf.create(dict(config))).encode())

    def load_config(self) -> dict[str, Any]:
        """The run's config under today's names, with the defaults of keys that its version did not have."""
        return read_stored(self._stored())[0]

    def _stored(self) -> dict[str, Any]:
        loaded = OmegaConf.to_container(OmegaConf.load(self.config))
        assert isinstance(loaded, dict)
        return {str(key): value for key, value in loaded.items()}

    def load_result(self) -> dict[str, Any] | None:
        """The finished run's result, or None."""
        if not self.result.exists():
            return None
        loaded: dict[str, Any] = json.loads(self.result.read_text())
        return loaded

    def note_initial(self, initial: Mapping[str, Any]) -> None:
        """Record which weights the run began with, unless they were fresh."""
        if initial:
            write_json(self.initial, initial)

    def load_initial(self) -> dict[str, Any]:
        """The record of `note_initial`; empty if there is none."""
        if not self.initial.exists():
            return {}
        loaded: dict[str, Any] = json.loads(self.initial.read_text())
        return loaded

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        with space_errors(self.metrics), self.metrics.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows so far, without a last line that a kill left incomplete."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def keep_metrics_until(self, epoch: int) -> None:
        """Drop the rows of epochs after the checkpoint's; those epochs are run again."""
        rows = [row for row in self.read_metrics() if row["epoch"] <= epoch]
        write_bytes(self.metrics, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def write_result(self, result: Mapping[str, Any]) -> None:
        write_json(self.result, result)
