"""`hydra/sweeper=spectral`: from the command line to a finished study. Read `sweep` from top to bottom."""

import logging
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from sweeps.outputs import SWEEPS
from sweeps.planning.arguments import GROUP, Arguments

if TYPE_CHECKING:
    from sweeps.config import SweepConfig
    from sweeps.launchers.contract import StreamingLauncher
    from sweeps.loop.batch_adapter import Batches
    from sweeps.loop.interrupts import Interrupts
    from sweeps.loop.loop import SweepLoop
    from sweeps.loop.trial_data import TrialData
    from sweeps.planning.job_checks import JobChecks
    from sweeps.planning.plan import Plan
    from sweeps.space import Constraint, Space
    from sweeps.study.shared_study import SharedStudy

log = logging.getLogger(__name__)
TRACKER = "tracker"


@dataclass
class SweeperConfig:
    """Hydra's config of the sweeper. It has no options: those are under `sweep`, where a named search can set them."""

    _target_: str = "hydra_plugins.spectral_sweeper.SpectralSweeper"


def register() -> None:
    ConfigStore.instance().store("spectral", SweeperConfig, group="hydra/sweeper", provider="sweeps")


class SpectralSweeper(Sweeper):
    """The sweeper that Hydra calls: plans a sweep, runs it, and reports its results."""

    hydra_context: HydraContext
    config: DictConfig

    def __init__(self, **options: Any) -> None:
        if options:
            from sweeps.errors import user_error
            from sweeps.sweeper_keys import sweeper_key_sentence

            raise user_error(sweeper_key_sentence(*next(iter(options.items()))))

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from sweeps.job.lease import LeasedTask

        self.hydra_context, self.task_function, self.config = hydra_context, LeasedTask(task_function), config

    def sweep(self, arguments: list[str]) -> Any:
        """Run what is left of the study that the command names.

        Args:
            arguments: the overrides of the command, without those of hydra itself.

        Returns:
            The Optuna study.

        Raises:
            UserError: a mistake in the sweep's config or its space; too many failures.
            InstantiationException: caused by a UserError, for an option of the launcher that is not allowed.
            KeyboardInterrupt: the sweep was asked to end before its study was finished.
        """
        from spectral.control_characters import make_output_printable
        from sweeps.console.startup_lines import startup_lines
        from sweeps.errors import user_error
        from sweeps.loop.interrupts import Interrupts
        from sweeps.planning.arguments import empty_mappings
        from sweeps.planning.checks import check_axes, check_constrained, check_objective, typed_sweep
        from sweeps.planning.jobs_config import check_same_config
        from sweeps.planning.plan import plan_of
        from sweeps.planning.replicates import take_replicates
        from sweeps.results.sweep_json import note_storage
        from sweeps.space import Space, read_constraints
        from sweeps.storage.urls import journal_url
        from sweeps.study.find import is_begun, name_in_folder, name_of_yaml, refuse_second
        from sweeps.study.shared_study import SharedStudy

        make_output_printable()
        given = Arguments(arguments, self.hydra_context.config_loader)
        empty_mappings(self.config, GROUP, arguments)
        self._check_yaml()
        of_jobs, replicates = take_replicates(self.config, given.of_jobs, self.hydra_context.config_loader)
        sweep = typed_sweep(OmegaConf.select(self.config, GROUP))
        check_objective(sweep, self.config)
        if sweep.study_name is None and (search := self._name_of_search()):
            sweep.study_name = name_of_yaml(search, sweep.storage, sweep.storage_timeout_s)
        sweep.search_overrides = given.leave_open(sweep.search_overrides)
        space = Space.read(sweep.space, of_jobs, self.hydra_context.config_loader)
        check_axes(space, sweep)
        check_constrained(sweep.constraints, sweep)
        constraints = read_constraints(sweep.constraints)
        plan = plan_of(sweep, space, self.config)
        doubt = self._job_checks.check(space, sweep, plan)
        folder, line = self._choose_folder(sweep, space, plan, given)
        name = name_in_folder(folder, sweep.study_name, sweep.storage, sweep.storage_timeout_s)
        url = sweep.storage or journal_url(folder)
        refuse_second(folder, name, sweep.storage, sweep.storage_timeout_s)
        interrupts = Interrupts(print)
        launcher = self._launcher(sweep, interrupts)
        is_new, devices = not folder.exists(), getattr(launcher, "devices", None)
        if doubt and not is_begun(url, name, sweep.storage_timeout_s):
            raise user_error(doubt)
        if doubt:
            log.warning("A new study would be refused, this one resumes: %s", doubt)
        if is_new:
            self._job_checks.check_here(space, sweep, devices)
        study = SharedStudy(config=sweep, name=name, url=url, space=space, **vars(plan))
        try:
            check_same_config(study, self.config)
            if not (is_new or study.is_finished()):  # a finished study is shown, wherever its data may be now
                self._job_checks.check_here(space, sweep, devices)
            data = self._check_data(study, sweep, folder)
            study.begin_command()
            folder.mkdir(parents=True, exist_ok=True)  # only now: a study that cannot be opened must leave no folder
            if sweep.storage:
                note_storage(study, folder)
            for sentence in filter(None, [*startup_lines(study, sweep, constraints, line), replicates]):
                print(sentence)
            with interrupts.caught():
                loop = self._run(study, sweep, launcher, constraints, folder, interrupts, data)
            # From here on Ctrl-C ends the command at once: no job runs, and everything is stored.
            self._report_results(study, sweep, folder, loop, interrupts)
        finally:
            study.close()
        return study.study

    def _run(
        self,
        study: "SharedStudy",
        sweep: "SweepConfig",
        launcher: "StreamingLauncher | Batches",
        constraints: "list[Constraint]",
        folder: Path,
        interrupts: "Interrupts",
        data: "TrialData",
    ) -> "SweepLoop":
        """Run the trials that are left."""
        from sweeps.loop.display import open_display
        from sweeps.loop.final_runs import Finals
        from sweeps.loop.loop import SweepLoop

        display = open_display(study)
        launcher.controller = study.controller.id
        finals = Finals(study, folder, self._job_extras, display) if sweep.search_overrides else None
        extras = [*self._job_extras, *sweep.search_overrides]
        loop = SweepLoop(study, launcher, folder, constraints, extras, interrupts, display, finals, data)
        try:
            loop.run()
        finally:
            display.close()
        return loop

    def _check_data(self, study: "SharedStudy", sweep: "SweepConfig", folder: Path) -> "TrialData":
        """Raise UserError if the data has changed since trials of the study were run; see sweeps/loop/trial_data.py."""
        from sweeps.loop.trial_data import TrialData
        from sweeps.planning.imported import imported
        from sweeps.space.data_axes import DATA, data_axes

        def data_of(overrides: list[str]) -> Any:
            node = OmegaConf.select(self._job_checks.composed(overrides, sweep), DATA)
            return OmegaConf.to_container(node) if OmegaConf.is_config(node) else node

        data = TrialData(study, folder, lambda: data_axes(study.space, data_of))
        if sweep.fingerprints:
            find = imported(sweep.fingerprints, "fingerprints")
            data.check_now(lambda overrides: find(self._job_checks.composed(overrides, sweep)))
        return data

    def _report_results(
        self, study: "SharedStudy", sweep: "SweepConfig", folder: Path, loop: "SweepLoop", interrupts: "Interrupts"
    ) -> None:
        """Show how the trials compare. Raises if the sweep failed or was stopped before its study was finished."""
        from sweeps.console.summary import counts, has_result, summarize
        from sweeps.ensemble.of_sweep import end_in_ensemble, lacks_ensemble
        from sweeps.errors import user_error
        from sweeps.planning.checks import refused_search_override
        from sweeps.study.identity import note_reported
        from sweeps.study.trial_counts import has_only_failures, last_failure
        from sweeps.tracking import track_study

        has_news = loop.num_failures + loop.num_others > 0
        is_finished = study.is_finished()  # before the ensemble: another controller may end the last trial meanwhile
        without = end_in_ensemble(study, folder, interrupts)
        summarize(study, folder, without)
        if sweep.report and not interrupts.stopping:
            from sweeps.report.after_sweep import write_after_sweep

            write_after_sweep(study, folder, has_news)
        track_study(study, folder, OmegaConf.select(self.config, TRACKER), has_news=has_news)
        # One that was tried and cannot be made is not left to the same command.
        leaves_ensemble = interrupts.draining and lacks_ensemble(study, folder)
        if is_finished and not interrupts.stopping and not leaves_ensemble:
            note_reported(study.study)
        trials = study.trials()
        last = f"the last failure is: {(loop.last_failure or last_failure(trials)).rstrip('.?')}"
        if loop.starts.have_timed_out:
            raise user_error(
                f"no job could start within sweep.start_timeout_s={sweep.start_timeout_s:g}, the last reason is: "
                f"{loop.starts.last_reason.rstrip('.')}: fix it and give the same command again."
            )
        if loop.too_many_failures:
            raise user_error(f"sweep.max_failures={sweep.max_failures} is reached, {last}.")
        if loop.fails_always:
            raise user_error(
                f"all {loop.num_failures} trials of this command failed, {last}: fix it and give the same command "
                "again, with sweep.retry_failed=true to run them again too, or set sweep.max_failures to the number "
                "that may fail."
            )
        if study.is_finished() and has_only_failures(trials):
            raise user_error(
                f"no trial of the study ended well, {last}: fix it and give the same command again with "
                "sweep.retry_failed=true."
            )
        if study.is_finished() and not has_result(study):
            raise user_error(f"no trial of the study ended well: {counts(study)}.")
        if interrupts.draining and (without or not loop.is_finished):
            print("To resume, give the same command again.")
            raise KeyboardInterrupt
        # What began with such search_overrides was warned of, and cannot be fixed: they belong to the study.
        if loop.final_failure and not refused_search_override(sweep):
            raise user_error(f"{loop.final_failure.rstrip('.')}: fix it and give the same command again.")

    def _check_yaml(self) -> None:
        """Raise UserError if the command lacks the default's keys of a search: it would not do what it seems to say."""
        from sweeps.config import SweepConfig
        from sweeps.errors import user_error
        from sweeps.space.messages import NO_KEYS

        name, node = self.config.hydra.runtime.choices.get(GROUP), OmegaConf.select(self.config, GROUP)
        has_default = "default" in self.hydra_context.config_loader.get_group_options(GROUP)
        keys = {field.name for field in fields(SweepConfig)}
        if name in (None, "default") or not has_default or not isinstance(node, DictConfig) or keys <= set(node):
            return
        if name == "none":
            raise user_error(NO_KEYS)
        raise user_error(f"sweep={name} lacks the keys of a search: its yaml lacks `defaults: [default, _self_]`.")

    def _name_of_search(self) -> str | None:
        """The name of the search's yaml in conf/sweep, which also names its study; None for a sweep without one."""
        name = self.config.hydra.runtime.choices.get(GROUP)
        return None if name in (None, "default", "none") else str(name)

    @cached_property
    def _job_checks(self) -> "JobChecks":
        from sweeps.launchers.compose import Composer
        from sweeps.planning.job_checks import JobChecks

        composer = Composer(self.hydra_context.config_loader, self.config)
        return JobChecks(composer, self.config, self._job_extras)

    @cached_property
    def _job_extras(self) -> list[str]:
        """Overrides that every job gets: no search, since a job runs one experiment."""
        searches = self.hydra_context.config_loader.get_group_options(GROUP)
        return [f"{GROUP}=none"] if "none" in searches else []

    def _choose_folder(self, sweep: "SweepConfig", space: "Space", plan: "Plan", given: Arguments) -> tuple[Path, str]:
        """The folder of the sweep's files: that of its study, unless the command line has a run_dir.

        A study without a name and a folder is named here; the second value is then a line about it for the user.
        """
        line = ""
        is_chosen = given.has_folder or any(o.startswith("hydra.sweep.dir=") for o in self.config.hydra.overrides.hydra)
        if not is_chosen:
            if sweep.study_name is None:
                from sweeps.planning.study_name import choose_study, name_search

                sweep.study_name, line = choose_study(name_search(sweep, space, plan, self.config), sweep)
            with open_dict(self.config):
                self.config.hydra.sweep.dir = str(SWEEPS / sweep.study_name)
        return Path(str(self.config.hydra.sweep.dir)), line

    def _launcher(self, sweep: "SweepConfig", interrupts: "Interrupts") -> "StreamingLauncher | Batches":
        from hydra.core.plugins import Plugins

        from sweeps.loop.batch_adapter import Batches, batch_size

        launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra_context, task_function=self.task_function, config=self.config
        )
        if hasattr(launcher, "submit"):
            streaming: StreamingLauncher = launcher
            return streaming
        size = batch_size(self.config.hydra.launcher, sweep.batch_size)
        log.warning("%s runs jobs in batches, here of %d: slots wait for the slowest.", type(launcher).__name__, size)
        return Batches(launcher, size, interrupts)
