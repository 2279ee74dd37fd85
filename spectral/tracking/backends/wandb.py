"""Weights & Biases (https://docs.wandb.ai): online where there is a key, else offline below the run folder."""

import os
import shlex
from pathlib import Path
from typing import Any

import wandb

from spectral.table import Table
from spectral.tracking.backends.contract import Ending, TrackedRun
from spectral.tracking.backends.wandb_key import NO_KEY, mode_of_environment, why_no_key

MAX_NAME_LENGTH = 128
PROBE_BYTES = 1 << 16  # more than the library holds back before it writes

# Preset charts of Weights & Biases: name, and which of the table's columns are which of the chart's fields.
CHARTS = {
    "precision_recall": ("wandb/area-under-curve/v0", {"x": "recall", "y": "precision", "class": "class"}),
    "confusion": (
        "wandb/confusion_matrix/v1",
        {"Actual": "true", "Predicted": "predicted", "nPredictions": "count"},
    ),
    "bars": ("wandb/bar/v0", {"label": "name", "value": "value"}),
}


class WandbTracker:
    """See WandbConfig for the options."""

    def __init__(
        self,
        run: TrackedRun,
        project: str,
        entity: str | None,
        mode: str,
        tags: list[str],
        start_timeout_s: float,
    ) -> None:
        self._tracked = run
        self._folder = Path(run.folder) / "wandb"
        self._folder.mkdir(exist_ok=True)  # else it would go to the system's temporary folder
        # Where pictures in tables wait for their upload: the user's home by default, which a clean-up could empty.
        os.environ |= {"WANDB_DATA_DIR": str(self._folder / "data"), "WANDB_CACHE_DIR": str(self._folder / "cache")}
        self._why_offline = ""
        self._last_step, self.last_written_step = run.last_step, run.last_written_step
        named = {"project": project, "entity": entity, "tags": tags}
        mode = self._choose_mode(mode, start_timeout_s)
        try:
            self._run = self._open(mode, start_timeout_s, named)
        except wandb.Error as error:
            if mode != "online":
                raise
            self._why_offline = f"the server was not reached ({type(error).__name__})"
            wandb.teardown()
            self._run = self._open("offline", start_timeout_s, named)
        if mode != "disabled" and not Path(self._run.dir).is_relative_to(self._folder):
            raise OSError(f"{self._folder} cannot be written")
        self._define_metrics()

    @property
    def id(self) -> str:
        return str(self._run.id)

    @property
    def url(self) -> str | None:
        is_online = self._run.settings.mode in ("online", "shared")
        return self._run.url if is_online else None

    def log(self, row: dict[str, float], step: int) -> None:
        self._last_step = step
        self._write(row)

    def _write(self, row: dict[str, Any]) -> None:
        """A step of the library, which only goes up: what an earlier start ended with has taken one."""
        self.last_written_step = max(self._last_step, self.last_written_step + 1)
        self._run.log(row | {self._tracked.step_metric: self._last_step}, step=self.last_written_step, commit=True)

    def finish(self, ending: Ending) -> str:
        self._run.summary.update({"status": ending.status, "attempt": self._tracked.attempt, **ending.numbers})
        if ending.reason:
            self._run.summary["reason"] = ending.reason
        exit_code = 0 if ending.status in ("finished", "pruned") else 1
        try:
            self._add_files(ending)
        except ConnectionError:  # of its own service, which is gone
            raise
        except Exception:  # a server that takes no file has taken the rest
            self._close(exit_code)
            raise
        self._close(exit_code)
        if self._run.settings.mode == "disabled":
            return ""
        if self.url:
            upload = (
                f"; to upload its runs that were kept offline: wandb sync {parts}" if (parts := self._parts()) else ""
            )
            return f"the run is at {self.url}{upload}"
        _check_written(Path(self._run.settings.sync_file))
        if self._why_offline == NO_KEY and not self._is_asked_for:
            return ""  # there is no account to upload it to
        why = f"{self._why_offline}, so the run" if self._why_offline else "the run"
        upload = " ".join(filter(None, [shlex.join(self._starts()), self._parts()]))
        return f"{why} was kept offline; to upload it: wandb sync {upload}"

    def _close(self, exit_code: int) -> None:
        """Return when the library's own process has ended: `finish` alone does not wait until its file is written."""
        self._run.finish(exit_code)
        wandb.teardown(exit_code)

    def _add_files(self, ending: Ending) -> None:
        media = {
            **{name: wandb.Image(path) for name, path in ending.images.items()},
            **{name: _shown(table, name) for name, table in ending.tables.items()},
            **{name: _plotly(figure) for name, figure in ending.figures.items()},
        }
        if media:
            self._write(media)
        if ending.weights:
            self._upload(ending.weights)

    def _starts(self) -> list[str]:
        """The folders of all starts that have written anything."""
        files = sorted(self._folder.glob(f"offline-run-*/run-{self.id}.wandb"))
        return [str(file.parent) for file in files if file.stat().st_size]

    def _parts(self) -> str:
        """The folders of the runs that this one is made of, for a shell; empty if none was kept offline."""
        pattern = f"{self._tracked.parts}/wandb/offline-run-*"
        if not self._tracked.parts or not any(Path(self._tracked.folder).glob(pattern)):
            return ""
        return f"{shlex.quote(self._tracked.folder)}/{pattern}"

    def _choose_mode(self, mode: str, start_timeout_s: float) -> str:
        """online, offline or disabled."""
        named = mode_of_environment()
        mode = named or mode if mode == "auto" else mode
        self._is_asked_for = mode != "auto"
        if mode not in ("auto", "online"):
            return mode
        self._why_offline = why_no_key(_settings(start_timeout_s))
        return "offline" if self._why_offline else "online"

    def _open(self, mode: Any, start_timeout_s: float, named: dict[str, Any]) -> Any:
        run = self._tracked
        return wandb.init(
            **named,
            mode=mode,
            dir=run.folder,
            id=run.id,
            resume="allow" if run.id and mode == "online" else None,
            name=_short(run.name) or None,
            group=_short(run.group) or None,
            job_type=run.job_type,
            config=run.config,
            settings=_settings(start_timeout_s),
        )

    def _define_metrics(self) -> None:
        step_metric = self._tracked.step_metric
        self._run.define_metric(step_metric)
        self._run.define_metric("*", step_metric=step_metric)
        for name, best in self._tracked.summary_by.items():
            if "*" not in name:  # the library takes it for a pattern, and shows the last value in place of the best
                self._run.define_metric(name.replace(".", "\\."), step_metric=step_metric, summary=best)

    def _upload(self, weights: list[str]) -> None:
        artifact = wandb.Artifact(f"weights-{self.id}", type="model")
        for path in weights:
            artifact.add_file(path)
        self._run.log_artifact(artifact)


def _settings(start_timeout_s: float) -> "wandb.Settings":
    """Quiet, and with nothing of the machine or the command line, which may hold what is nobody else's business."""
    return wandb.Settings(
        silent=True,
        console="off",
        init_timeout=start_timeout_s,
        login_timeout=start_timeout_s,
        x_service_wait=start_timeout_s,
        save_code=False,
        host="",
        disable_git=True,
        disable_job_creation=True,
        x_disable_meta=True,
        x_disable_stats=True,
    )


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…"


def _shown(table: Table, name: str) -> Any:
    """A table, drawn as a chart where it is one."""
    rows = [[_cell(value) for value in row] for row in table.rows]
    content = wandb.Table(columns=table.columns, data=rows, allow_mixed_types=True)
    if table.chart is None:
        return content
    preset, fields = CHARTS[table.chart]
    return wandb.plot_table(preset, content, fields, {"title": name})


def _cell(value: Any) -> Any:
    return wandb.Image(value["image"]) if isinstance(value, dict) else value


def _plotly(figure: str) -> Any:
    from plotly import io

    return wandb.Plotly(io.from_json(figure, skip_invalid=True))


def _check_written(file: Path) -> None:
    """Raise OSError if the run's file is gone or its disk full: the library itself says nothing of either."""
    probe = file.with_name(".probe")
    if not file.stat().st_size:
        raise OSError(f"{file} could not be written")
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
    finally:
        probe.unlink(missing_ok=True)
