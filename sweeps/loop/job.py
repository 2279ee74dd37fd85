"""Build a job for the launcher, with overrides for the configuration, the seed, the folder, and the trial link."""

from collections.abc import Sequence

from hydra.core.override_parser.types import Quote, QuotedString

from sweeps.job.trial_link import TrialLink
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.storage.urls import absolute_url
from sweeps.study.shared_study import SharedStudy


def build_job(study: SharedStudy, run: TrialRun, seed_index: int, extras: Sequence[str], is_final: bool = False) -> Job:
    """The job of one seed of a trial.

    Args:
        extras: overrides that every job gets.
        is_final: the trial has ended, so that the job reports nothing to the study.
    """
    folder, overrides = run.folder_of(seed_index), list(run.overrides)
    if run.seeds:
        overrides.append(f"{study.config.seed_key}={run.seeds[seed_index]}")
    overrides += [*extras, f"hydra.sweep.dir={_quoted(str(folder.parent))}"]
    overrides.append(f"hydra.sweep.subdir={_quoted(folder.name)}")
    if not is_final:
        overrides.append(_link(study, run, seed_index).override())
    return Job(run, seed_index, run.number * run.num_seeds + seed_index, overrides)


def _link(study: SharedStudy, run: TrialRun, seed_index: int) -> TrialLink:
    config = study.config
    # A trial has one value per step: that of the first seed. With several objectives Optuna takes none.
    takes_steps = len(study.objectives) == 1 and seed_index == 0 and study.judged_by != "seeds"
    return TrialLink(
        storage=absolute_url(study.url),
        study=study.name,
        trial_id=run.trial._trial_id,
        number=run.number,
        owner=study.controller.id,
        seed_index=seed_index,
        objective=study.objectives[0],
        takes_steps=takes_steps,
        pruner=config.pruner if takes_steps else "none",
        pruning=config.pruning if takes_steps else {},
        promote=config.promote and takes_steps,
        num_seeds=run.num_seeds,
        constraints=config.constraints,
        timeout_s=config.storage_timeout_s,
        report_timeout_s=config.report_timeout_s,
    )


def _quoted(text: str) -> str:
    return QuotedString(text, Quote.single).with_quotes()
