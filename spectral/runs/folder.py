"""The files of one run: their names, what they hold, and how they are written.

config.yaml          the whole resolved config, written first
metrics.jsonl        one row per epoch, appended and flushed
last.ckpt            everything needed to resume, replaced after each epoch
last.ckpt.damaged    a last.ckpt that could not be read: the run has started again
last.ckpt.incomplete one of version 0.1 with more epochs than metrics.jsonl: the run has started again
best.safetensors     weights of the epoch that is kept: the last one so far, or the best (schedule.keep)
init.json            only with `init` or `distill`: the weights that the run began with, and its teacher
data.json            the fingerprint of the spectra, for readers of a run that has not ended
model.json           rebuilds the network around those weights, without pickle or Hydra
predictions.parquet  validation and test, one row per spectrum
plots/               pictures of the training and of the scores, written at the end
snapshots/           with schedule.num_snapshots: folders of finished runs with the weights of some epochs
tracker.json         the tracker's name for the run, and the last step that was logged
result.json          written last: a run that has it is finished
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from spectral.configs.baseline_run import BaselineRunConfig
from spectral.configs.pretraining import PretrainingConfig
from spectral.configs.stored import kind_of, read_stored
from spectral.errors import InUseError, UserError
from spectral.files import remove_left_parts, space_errors, write_bytes, write_json
from spectral.runs.identity import as_begun, check_same
from spectral.runs.runs_below import runs_below
from spectral.runs.stored_json import check_complete, is_row, load_result

if TYPE_CHECKING:
    import pandas as pd

# Where the system has no list of locks, `sweeps.ls` takes this one for an instant to see whether a process has the run.
LOCK_WAIT_S = 0.5
CONTROLLER_WRITES_S = 60.0  # the longest that the controller of a sweep, on another machine, takes for a trial.json


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
        self.snapshots = self.path / "snapshots"
        self.initial = self.path / "init.json"
        self.data = self.path / "data.json"
        self.result = self.path / "result.json"

    @classmethod
    def existing(cls, path: Path | str) -> "RunFolder":
        """The folder of an existing run. Raises UserError if there is no run."""
        folder = cls(path)
        if not folder.config.is_file():
            raise UserError(f"run={path} is not a run folder: it has no {folder.config.name}.{runs_below(folder.path)}")
        return folder

    def snapshot(self, epoch: int) -> "RunFolder":
        """The folder of the weights after an epoch, counted from 1 over all stages."""
        return RunFolder(self.snapshots / f"epoch-{epoch:04d}")

    @property
    def is_pretraining(self) -> bool:
        """Whether its network reconstructs pixels and knows no classes."""
        return self.config.exists() and kind_of(self._stored()) is PretrainingConfig

    def check_has_model(self, key: str = "run") -> None:
        """Raise UserError if this is the folder of a baseline, or of a pretraining unless `key` is init.

        Args:
            key: begins the sentence.
        """
        if not self.config.exists():
            return
        kind = kind_of(stored := self._stored())
        if kind is BaselineRunConfig:
            method = stored["method"]
            name = method.get("name") if isinstance(method, Mapping) else method
            raise UserError(
                f"{key}={self.path} is a baseline (method={name}): it keeps no model, only its scores and predictions."
            )
        if kind is PretrainingConfig and key != "init":
            raise UserError(
                f"{key}={self.path} is a pretraining, which knows no classes: train with init={self.path} first."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder, so that one process at a time runs there. A killed process releases the lock.

        The folder is deleted afterwards if the run never began.

        Raises:
            InUseError: another process has the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / "run.lock", timeout=LOCK_WAIT_S)
        try:
            lock.acquire()
        except Timeout as error:
            raise InUseError(f"run_dir={self.path} is in use: another process is running this experiment.") from error
        # The lock is ours: whoever wrote files of the run on another machine has ended.
        for folder in (self.path, self.plots, *self.plots.glob("*/"), *self.snapshots.glob("*/")):
            remove_left_parts(folder, elsewhere_after_s=CONTROLLER_WRITES_S)
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
            self.write_config(config)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Replace the config."""
        write_bytes(self.config, OmegaConf.to_yaml(OmegaConf.create(dict(config))).encode())

    def load_config(self) -> dict[str, Any]:
        """The run's config under today's names, with the defaults of keys that its version did not have.

        Raises:
            UserError: it cannot be read, or it has an interpolation: what a run wrote is resolved, and a folder that
                comes from elsewhere must not read this machine's environment.
        """
        stored = self._stored()
        if found := _interpolation(stored):
            raise UserError(f"{self.config} cannot be used: {found} is an interpolation, which no run writes.")
        return read_stored(stored)[0]

    def load_kernel(self) -> str | None:
        """The kernel that the run began with; None if there is no run yet."""
        return str(read_stored(self._stored())[0].get("kernel", "torch")) if self.config.exists() else None

    def load_precision(self) -> str | None:
        """The precision that the run began with; None if there is no run yet."""
        return str(read_stored(self._stored())[0].get("precision", "auto")) if self.config.exists() else None

    def load_seed(self) -> int:
        """The run's seed. Raises UserError as `load_config`, or if it is not a whole number."""
        seed = self.load_config()["seed"]
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise UserError(f"{self.config} cannot be used: seed={seed} is not a whole number from 0 on.")
        return seed

    def _stored(self) -> dict[str, Any]:
        try:
            loaded = OmegaConf.to_container(OmegaConf.load(self.config))
        except (OSError, ValueError, RecursionError, YAMLError, OmegaConfBaseException) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise UserError(f"{self.config} cannot be read: {said}.") from error
        if not isinstance(loaded, dict) or not loaded:
            raise UserError(f"{self.config} cannot be read: it holds no config.")
        return {str(key): value for key, value in loaded.items()}

    def load_result(self) -> dict[str, Any] | None:
        """The finished run's result, or None.

        Raises:
            UserError: it cannot be read, or it lacks something.
        """
        if not self.result.exists():
            return None
        result = load_result(self.result)
        check_complete(result, self.result)
        return result

    def weights_digest(self) -> str:
        """The BLAKE2b digest of the weights file, as `b2sum -l 128` has it. Raises UserError if it cannot be read."""
        try:
            return hashlib.blake2b(self.weights.read_bytes(), digest_size=16).hexdigest()
        except OSError as error:
            raise UserError(f"{self.weights} cannot be read: {error.strerror}.") from error

    def note_initial(self, initial: Mapping[str, Any]) -> None:
        """Record which weights the run began with, unless they were fresh."""
        if initial:
            write_json(self.initial, initial)

    def load_initial(self) -> dict[str, Any]:
        """The record of `note_initial`; empty if there is none."""
        if not self.initial.exists():
            return {}
        try:
            loaded = json.loads(self.initial.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{self.initial} cannot be read: it was changed or cut short.") from error
        return loaded if isinstance(loaded, dict) else {}

    def load_predictions(self) -> "pd.DataFrame":
        """predictions.parquet; empty if there is none, or if it has neither validation nor test.

        Raises:
            UserError: it cannot be read.
        """
        import pandas as pd

        if not self.predictions.exists():
            return pd.DataFrame()
        try:
            predictions = pd.read_parquet(self.predictions)
        except (OSError, ValueError) as error:
            raise UserError(f"{self.predictions} cannot be read: it was changed or cut short.") from error
        if predictions.shape == (0, 0):  # of a version that left out the columns if nothing was scored
            return predictions
        if missing := [name for name in ("id", "split", "label", "predicted") if name not in predictions]:
            raise UserError(f"{self.predictions} cannot be read: it has no column {missing[0]}.")
        return predictions

    def note_data(self, fingerprint: str) -> None:
        """Record on which spectra the run is trained: result.json says it only at the end."""
        write_json(self.data, {"fingerprint": fingerprint})

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        with space_errors(self.metrics), self.metrics.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """The rows so far, without a last line that a kill left incomplete.

        Raises:
            UserError: another line is no row.
        """
        rows = [(number, _row(line)) for number, line in enumerate(self._lines(), start=1)]
        if bad := [number for number, row in rows if row is None]:
            raise UserError(f"{self.metrics} cannot be read: line {bad[0]} is not the JSON of an epoch.")
        return [row for _, row in rows if row is not None]

    def readable_metrics(self) -> list[dict[str, Any]]:
        """As `read_metrics`, without the lines that are no rows."""
        return [row for line in self._lines() if (row := _row(line)) is not None]

    def _lines(self) -> list[str]:
        try:
            return self.metrics.read_text("utf-8", errors="replace").split("\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{self.metrics} cannot be read: {error.strerror}.") from error

    def write_metrics(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the rows."""
        write_bytes(self.metrics, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def write_result(self, result: Mapping[str, Any]) -> None:
        write_json(self.result, result)


def _row(line: str) -> dict[str, Any] | None:
    """The row of a line of metrics.jsonl; None if it is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if is_row(row) else None


def _interpolation(node: Any, key: str = "") -> str:
    """The first value that is an interpolation, as key=value; empty if none is."""
    if isinstance(node, Mapping):
        children = [(f"{key}.{name}" if key else str(name), value) for name, value in node.items()]
    elif isinstance(node, list):
        children = [(f"{key}.{i}", value) for i, value in enumerate(node)]
    else:
        return f"{key}={node}" if isinstance(node, str) and "${" in node else ""
    return next((found for name, value in children if (found := _interpolation(value, name))), "")
