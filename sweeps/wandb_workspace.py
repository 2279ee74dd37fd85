"""A saved view of a study for Weights & Biases: `python -m sweeps.wandb_workspace STUDY --entity TEAM --save`.

Without --save the command prints what the view would hold: only a server can keep one.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from sweeps.cli import end_with, mistake
from sweeps.errors import user_error_type


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.wandb_workspace", description="A saved view of a study.")
    parser.add_argument("study", help="name of a study, or its folder")
    parser.add_argument("--entity", default="", help="user or team on the server (needed to save)")
    parser.add_argument("--project", default="spectral", help="tracker.project of its runs (default: spectral)")
    parser.add_argument("--storage", help="URL of the storage, if the study's folder does not name it")
    parser.add_argument("--save", action="store_true", help="keep it on the server; needs a key and a network")
    given = parser.parse_args(arguments)
    if given.save and not given.entity:
        parser.error("--save needs --entity, the user or team whose project it is")
    from sweeps.study.find import load_study, study_folder

    try:
        study = load_study(given.study, given.storage)
        workspace = build_workspace(study, given.entity, given.project, study_folder(given.study))
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("wandb"):
            raise
        return mistake("wandb-workspaces is not installed: python -m pip install -e '.[workspaces]'.")
    return _save(workspace) if given.save else _describe(workspace)


def build_workspace(study: optuna.Study, entity: str, project: str, folder: Path | None = None) -> Any:
    """The view: the runs of the study, the best on top, with the plots to judge them by.

    Args:
        folder: of the study; None if it has none.
    """
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces

    from sweeps.study.attributes import IDENTITY
    from sweeps.tracking import STEP_METRIC

    trials = study.get_trials(deepcopy=False)
    objectives = study.user_attrs.get(IDENTITY, {}).get("objectives") or ["val/macro_f1"]
    best = "max" if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else "min"
    summary = reports.SummaryMetric(f"{objectives[0]}.{best}")
    keys = keys_of_axes(trials, folder)
    axes = [reports.ParallelCoordinatesPlotColumn(reports.Config(key)) for key in keys]
    search = [
        reports.ParallelCoordinatesPlot(columns=[*axes, reports.ParallelCoordinatesPlotColumn(summary)]),
        reports.ParameterImportancePlot(with_respect_to=f"{objectives[0]}.{best}"),
        reports.LinePlot(title="Best so far", x=STEP_METRIC, y=[f"best so far/{objectives[0]}"]),
    ]
    training = [
        *(reports.LinePlot(title=name, x="epoch", y=[name]) for name in dict.fromkeys([*objectives, "val/macro_f1"])),
        reports.LinePlot(title="Training loss", x="epoch", y=["train/loss"]),
        reports.LinePlot(title="Learning rate", x="epoch", y=["lr"], log_y=True),
    ]
    mistakes = [
        reports.MediaBrowser(media_keys=["confusion", "precision_recall"]),
        reports.WeavePanelSummaryTable(table_name="misclassified", layout=reports.Layout(w=24, h=12)),
    ]
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=f"Study {study.study_name}",
        sections=[
            workspaces.Section(name="Search", panels=search, is_open=True),
            workspaces.Section(name="Training", panels=training, is_open=True),
            workspaces.Section(name="Mistakes", panels=mistakes),
        ],
        runset_settings=workspaces.RunsetSettings(
            filters=[workspaces.Metric("Group") == study.study_name],
            order=[workspaces.Ordering(workspaces.Summary(f"{objectives[0]}.{best}"), ascending=best == "min")],
        ),
    )


def keys_of_axes(trials: Sequence[FrozenTrial], folder: Path | None) -> list[str]:
    """For each axis the keys of a run's config to plot: of a config group its name, of shares one for each class.

    No panel plots a mapping.

    Args:
        folder: of the study; None if it has none. An axis of a study without run folders is its own key.
    """
    from sweeps.results.run import Run
    from sweeps.results.run_dirs import run_dirs
    from sweeps.results.trial_row import axes_of, configuration

    runs = (Run(path) for trial in trials for path in run_dirs(trial.user_attrs, folder))
    config = next((run.config for run in runs if run.config), {})
    groups = {key for key, node in config.items() if isinstance(node, dict) and "name" in node}
    chosen = [configuration(trial) for trial in trials]
    keys: list[str] = []
    for axis in axes_of(list(trials)):
        mappings = [values[axis] for values in chosen if isinstance(values.get(axis), dict)]
        names = dict.fromkeys(name for mapping in mappings for name in mapping)
        keys += [f"{axis}.{name}" for name in names] or [f"{axis}.name" if axis in groups else axis]
    return keys


def described(panel: Any) -> str:
    """One line about a panel of `build_workspace`: its kind or title, and what it shows."""
    import wandb_workspaces.reports.v2 as reports

    match panel:
        case reports.LinePlot():
            return f"{panel.title}: {_names(panel.y)}, by {_names([panel.x])}"
        case reports.ParallelCoordinatesPlot():
            return f"Parallel coordinates: {_names(column.metric for column in panel.columns)}"
        case reports.ParameterImportancePlot():
            return f"Importance of each parameter for {_names([panel.with_respect_to])}"
        case reports.MediaBrowser():
            return f"Pictures: {_names(panel.media_keys)}"
        case reports.WeavePanelSummaryTable():
            return f"Table: {panel.table_name}"
    raise TypeError(f"no description for a panel of type {type(panel).__name__}")


def _names(metrics: Iterable[Any]) -> str:
    """The names of metrics: the library takes names, but returns metric objects."""
    return ", ".join(metric if isinstance(metric, str) else metric.name for metric in metrics)


def _describe(workspace: Any) -> int:
    print(f"{workspace.name}, in project {workspace.project}: the runs of this study only, the best first.")
    for section in workspace.sections:
        print("\n".join([f"  {section.name}", *(f"    {described(panel)}" for panel in section.panels)]))
    print("The view was not saved: to save it on a server, give --entity and --save.")
    return 0


def _save(workspace: Any) -> int:
    try:
        workspace.save()
    except Exception as error:  # of the network, the server or the key: each has its own class
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return mistake(f"the view could not be saved, which takes a key and a server: {reason.rstrip('.')}.")
    print(workspace.url)
    return 0


if __name__ == "__main__":
    end_with(main)
