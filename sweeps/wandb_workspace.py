"""A saved view of a study for Weights & Biases: `python -m sweeps.wandb_workspace STUDY --entity TEAM --save`.

Without --save it tells what the view would hold: only a server can keep one.
"""

import argparse
from typing import Any

import optuna

from sweeps.command_line import end_with, mistake


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.wandb_workspace", description="A saved view of a study.")
    parser.add_argument("study", help="name of a study, or its folder")
    parser.add_argument("--entity", default="", help="user or team on the server (needed to save)")
    parser.add_argument("--project", default="spectral", help="tracker.project of its runs (default: spectral)")
    parser.add_argument("--storage", help="URL, where the study is not kept in its folder")
    parser.add_argument("--save", action="store_true", help="keep it on the server; needs a key and a network")
    given = parser.parse_args(arguments)
    if given.save and not given.entity:
        parser.error("--save needs --entity, the user or team whose project it is")
    from sweeps.opening import load_study

    try:
        workspace = build_workspace(load_study(given.study, given.storage), given.entity, given.project)
    except LookupError as error:
        return mistake(error.args[0])
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("wandb"):
            raise
        return mistake("wandb-workspaces is not installed: python -m pip install -e '.[workspaces]'.")
    return _save(workspace) if given.save else _tell(workspace)


def build_workspace(study: optuna.Study, entity: str, project: str) -> Any:
    """The view: the study's runs, the best on top, with what to judge them by."""
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces

    from sweeps.rows import axes_of
    from sweeps.study import IDENTITY

    trials = study.get_trials(deepcopy=False)
    objectives = study.user_attrs.get(IDENTITY, {}).get("objectives") or ["val/macro_f1"]
    best = "max" if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else "min"
    summary = reports.SummaryMetric(f"{objectives[0]}.{best}")
    axes = [reports.ParallelCoordinatesPlotColumn(reports.Config(axis)) for axis in axes_of(trials)]
    search = [
        reports.ParallelCoordinatesPlot(columns=[*axes, reports.ParallelCoordinatesPlotColumn(summary)]),
        reports.ParameterImportancePlot(with_respect_to=f"{objectives[0]}.{best}"),
        reports.LinePlot(title="Best so far", x="trial", y=[f"best so far/{objectives[0]}"]),
    ]
    training = [
        *(reports.LinePlot(title=name, x="epoch", y=[name]) for name in dict.fromkeys([*objectives, "val/macro_f1"])),
        reports.LinePlot(title="Training loss", x="epoch", y=["train/loss"]),
        reports.LinePlot(title="Learning rate", x="epoch", y=["lr"], log_y=True),
    ]
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=f"Study {study.study_name}",
        sections=[
            workspaces.Section(name="Search", panels=search, is_open=True),
            workspaces.Section(name="Training", panels=training, is_open=True),
            workspaces.Section(
                name="Mistakes", panels=[reports.MediaBrowser(media_keys=["confusion", "precision_recall"])]
            ),
        ],
        runset_settings=workspaces.RunsetSettings(
            filters=[workspaces.Metric("Group") == study.study_name],
            order=[workspaces.Ordering(workspaces.Summary(f"{objectives[0]}.{best}"), ascending=best == "min")],
        ),
    )


def _tell(workspace: Any) -> int:
    print(f"{workspace.name}, in project {workspace.project}:")
    for section in workspace.sections:
        print(f"  {section.name}: {', '.join(type(panel).__name__ for panel in section.panels)}")
    print("It was not saved: that takes a server, with --entity and --save.")
    return 0


def _save(workspace: Any) -> int:
    try:
        workspace.save()
    except Exception as error:  # of the network, the server or the key, each with a class of its own
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return mistake(f"the view could not be saved, which takes a key and a server: {reason}")
    print(workspace.url)
    return 0


if __name__ == "__main__":
    end_with(main)
