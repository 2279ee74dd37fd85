"""`hydra/sweeper=spectral`: from the command line to a finished study. Read `sweep` from top to bottom."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

if TYPE_CHECKING:
    from sweeps.batches import Batches
    from sweeps.config import SweepConfig
    from sweeps.interrupt import Interrupts
    from sweeps.launchers.contract import StreamingLauncher
    from sweeps.space import Constraint, Space
    from sweeps.study import SharedStudy

log = logging.getLogger(__name__)

GROUP = "sweep"
RUN_DIR = "run_dir"
TRACKER = "tracker"
NUM_TRIALS = 20  # of a search that names no number


@dataclass
class SweeperConfig:
    """It has no options of its own: they are under `sweep`, where a named search sets them."""

    _target_: str = "hydra_plugins.spectral_sweeper.SpectralSweeper"


def register() -> None:
    ConfigStore.instance().store("spectral", SweeperConfig, group="hydra/sweeper", provider="sweeps")


class SpectralSweeper(Sweeper):
    """Hydra's side of a sweep."""

    hydra_context: HydraContext
    config: DictConfig

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from sweeps.lease import LeasedTask

        self.hydra_context, self.task_function, self.config = hydra_context, LeasedTask(task_function), config

    def sweep(self, arguments: list[str]) -> Any:
        """Run what is left of the study that the command names.

        Args:
            arguments: the command's overrides, but for those of hydra itself.

        Returns:
            The Optuna study.

        Raises:
            UserError: a mistake in the sweep's config or its space; too many failures.
            KeyboardInterrupt: the sweep was asked to end before its study was finished.
        """
        from sweeps.config_check import typed_sweep
        from sweeps.emptied import empty_as_told
        from sweeps.interrupt import Interrupts
        from sweeps.space import Space, read_constraints

        empty_as_told(self.config, GROUP, arguments)
        sweep = typed_sweep(OmegaConf.select(self.config, GROUP))
        self._check_objective(sweep)
        sweep.study_name = sweep.study_name or self._name_of_search()
        sweep.search_overrides = self._not_given(sweep.search_overrides, arguments)
        space = Space.read(sweep.space, self._of_jobs(arguments), self.hydra_context.config_loader)
        self._check_space(space, sweep)
        constraints = read_constraints(sweep.constraints)
        folder = self._choose_folder(sweep, arguments)
        study = self._open_study(sweep, space, folder)
        interrupts = Interrupts(print)
        try:
            with interrupts.caught():
                self._run(study, sweep, constraints, folder, interrupts)
        finally:
            study.close()
        return study.study

    def _run(
        self,
        study: "SharedStudy",
        sweep: "SweepConfig",
        constraints: "list[Constraint]",
        folder: Path,
        interrupts: "Interrupts",
    ) -> None:
        """Run the trials that are left, show how they compare, and raise where the study is not finished."""
        from sweeps.config_check import seed_list
        from sweeps.display import open_display
        from sweeps.errors import user_error
        from sweeps.finals import Finals
        from sweeps.loop import SweepLoop
        from sweeps.summary import summarize
        from sweeps.tracking import track_study

        display = open_display(study)
        launcher = self._launcher(sweep, study, interrupts)
        seeds = seed_list(sweep, self.config)
        finals = Finals(study, seeds, self._job_extras, display) if sweep.search_overrides else None
        extras = [*self._job_extras, *sweep.search_overrides]
        loop = SweepLoop(study, launcher, folder, seeds, constraints, extras, interrupts, display, finals)
        try:
            loop.run()
        finally:
            display.close()
        summarize(study, folder)
        if sweep.report and not interrupts.stopping:
            _report(study, folder)
        track_study(study, folder, OmegaConf.select(self.config, TRACKER))
        last = f"the last failure is: {loop.last_failure.rstrip('.')}"
        if loop.too_many_failures:
            raise user_error(f"sweep.max_failures={sweep.max_failures} is reached, {last}.")
        if loop.num_failures and study.has_only_failures():
            raise user_error(f"no trial of the study ended well, {last}.")
        if interrupts.draining and not study.is_finished():
            print("To go on, give the same command again.")
            raise KeyboardInterrupt

    def _check_objective(self, sweep: "SweepConfig") -> None:
        """Jobs return the objective of their own config: another name would stand over their values."""
        from sweeps.errors import user_error

        own = OmegaConf.select(self.config, "objective")
        own = OmegaConf.to_container(own) if OmegaConf.is_config(own) else own
        if own is not None and sweep.objective not in (None, own):
            raise user_error(
                f"sweep.objective={sweep.objective} is not what the jobs return, which is objective={own}: "
                "change objective, which names it for both."
            )

    def _name_of_search(self) -> str | None:
        """The name of a yaml in conf/sweep, which is also that of its study; None for a sweep without one."""
        name = self.config.hydra.runtime.choices.get(GROUP)
        return None if name in (None, "default", "none") else str(name)

    def _of_jobs(self, arguments: Sequence[str]) -> list[str]:
        """The arguments that are for jobs: not those of the search, nor the folder, of which each job has its own."""
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        keys = [override.key_or_group for override in parser.parse_overrides(list(arguments))]
        own = (GROUP, RUN_DIR)
        return [a for a, key in zip(arguments, keys, strict=True) if key not in own and not key.startswith(f"{GROUP}.")]

    def _not_given(self, overrides: list[str], arguments: list[str]) -> list[str]:
        """The overrides of keys that the command leaves open: what it says itself holds."""
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        given = {override.key_or_group for override in parser.parse_overrides(arguments)}
        return [o for o in overrides if o.partition("=")[0].lstrip("+") not in given]

    def _check_space(self, space: "Space", sweep: "SweepConfig") -> None:
        """Compose a config for each extreme of the space, and have the experiment check it."""
        from sweeps.space import check_space

        check = _imported(sweep.check) if sweep.check else None

        def compose(overrides: list[str]) -> Any:
            config = self._composer.compose([*overrides, *self._job_extras, *sweep.search_overrides])
            with open_dict(config):
                config.pop("hydra")
            return check(config) if check else config

        check_space(space, compose)

    @cached_property
    def _composer(self) -> Any:
        from sweeps.launchers.compose import Composer

        return Composer(self.hydra_context.config_loader, self.config)

    @cached_property
    def _job_extras(self) -> list[str]:
        """A job knows nothing of the search."""
        known = self.hydra_context.config_loader.get_group_options(GROUP)
        return [f"{GROUP}=none"] if "none" in known else []

    def _choose_folder(self, sweep: "SweepConfig", arguments: Sequence[str]) -> Path:
        """Where the sweep's files go: its study's folder, but for a run_dir of the command line."""
        given = any(argument.startswith(f"{RUN_DIR}=") for argument in arguments)
        given = given or any(o.startswith("hydra.sweep.dir=") for o in self.config.hydra.overrides.hydra)
        if sweep.study_name and not given:
            from sweeps.places import SWEEPS

            with open_dict(self.config):
                self.config.hydra.sweep.dir = str(SWEEPS / sweep.study_name)
        folder = Path(str(self.config.hydra.sweep.dir))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _open_study(self, sweep: "SweepConfig", space: "Space", folder: Path) -> "SharedStudy":
        from sweeps.config_check import directions, objective_names
        from sweeps.places import journal_url
        from sweeps.study import SharedStudy

        objectives = objective_names(sweep)
        whole_grid = sweep.sampler == "grid" or (space.is_grid and sweep.num_trials is None)
        known = space.grid() if whole_grid else []
        known = [*sweep.enqueue, *(values for values in known if values not in sweep.enqueue)]
        return SharedStudy(
            config=sweep,
            name=sweep.study_name or folder.name,
            url=sweep.storage or journal_url(folder),
            space=space,
            objectives=objectives,
            directions=directions(sweep, objectives),
            num_trials=_total(sweep, len(known) if whole_grid else None),
            known=known,
        )

    def _launcher(
        self, sweep: "SweepConfig", study: "SharedStudy", interrupts: "Interrupts"
    ) -> "StreamingLauncher | Batches":
        from hydra.core.plugins import Plugins

        from sweeps.batches import Batches, batch_size

        launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra_context, task_function=self.task_function, config=self.config
        )
        if hasattr(launcher, "submit"):
            streaming: StreamingLauncher = launcher
            streaming.controller = study.controller.id
            return streaming
        size = batch_size(self.config.hydra.launcher, sweep.batch_size)
        log.warning("%s runs jobs in batches, here of %d: slots wait for the slowest.", type(launcher).__name__, size)
        return Batches(launcher, size, interrupts)


def _report(study: "SharedStudy", folder: Path) -> None:
    """Write report.html. Whatever is wrong with it, the sweep has ended well: that is told in a line."""
    from sweeps.report.command import write_report

    try:
        print(f"report: {write_report(study.name, study.url, folder=folder)}")
    except Exception as error:
        log.debug("the report failed", exc_info=True)
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        print(f"The report could not be written: {type(error).__name__}: {reason}")


def _total(sweep: "SweepConfig", grid_size: int | None) -> int:
    if grid_size is not None:
        return min(grid_size, sweep.num_trials or grid_size)
    return sweep.num_trials or NUM_TRIALS


def _imported(where: str) -> Any:
    """What `sweep.check` names. An import that fails inside its module is a bug, and stays one."""
    module, _, attribute = where.partition(":")
    try:
        found = getattr(import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        found = None
    if not callable(found):
        from sweeps.errors import user_error

        raise user_error(f"sweep.check={where} names no function: allowed is module:function, or null.")
    return found
