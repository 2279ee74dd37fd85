"""What is checked before anything runs: the configs that the jobs of a sweep would get."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from omegaconf import DictConfig

from sweeps.config import SweepConfig
from sweeps.launchers.compose import Composer
from sweeps.planning.arguments import RUN_DIR
from sweeps.planning.checks import check_objective, refused_search_override
from sweeps.planning.ignored_axes import ignored_axis
from sweeps.planning.imported import imported
from sweeps.planning.plan import Plan
from sweeps.space import Space, check_enqueued, check_seeds, check_space, open_condition, unmet_condition

Check = Callable[[DictConfig], Any]


class JobChecks:
    """Composes configs for enqueued trials, seeds and extremes of the space, and lets the experiment check them.

    Args:
        composer: of the configs of the jobs.
        config: of the command.
        extras: overrides that every job gets.
    """

    def __init__(self, composer: Composer, config: DictConfig, extras: Sequence[str]) -> None:
        self._composer, self._config, self._extras = composer, config, extras

    def check(self, space: Space, sweep: SweepConfig, plan: Plan) -> str:
        """Check the configs by themselves. Raises UserError for what no job could run.

        Returns:
            A sentence for what refuses a new study, but not one that an earlier version may have begun; or "".
        """
        compose_checked = self._composing(sweep, imported(sweep.check, "check") if sweep.check else None)
        checked: list[tuple[list[str], Any]] = []

        def compose(overrides: list[str]) -> None:
            checked.append((overrides, compose_checked(overrides)))

        check_space(space, compose, check_enqueued(space, sweep.enqueue, compose), self._composer.is_group)
        if plan.seeds:
            check_seeds(space, sweep.seed_key, plan.seeds, compose)
        is_spectral = sweep.check and sweep.check.startswith("spectral.")  # another program has options of its own
        ignored = ignored_axis(space, checked) if is_spectral else ""
        unmet = unmet_condition(space) or open_condition(space, sweep.enqueue)
        return unmet or ignored or refused_search_override(sweep)

    def check_here(self, space: Space, sweep: SweepConfig, devices: Sequence[str] | None) -> None:
        """Check that this machine has what the jobs need. Raises UserError if it has not.

        Args:
            devices: that a job sees; None if jobs run elsewhere: then nothing is checked.
        """
        if devices is None or sweep.check_here is None:
            return
        compose = self._composing(sweep, partial(imported(sweep.check_here, "check_here"), devices=devices))
        check_space(space, compose, check_enqueued(space, sweep.enqueue, compose))

    def composed(self, overrides: list[str], sweep: SweepConfig) -> DictConfig:
        """The config of a job with these overrides, without its node hydra."""
        config = self._composer.compose_own([*overrides, *self._extras, *sweep.search_overrides])
        if RUN_DIR in config:  # a job gets its own folder when it begins; here a time in it would change the config
            config[RUN_DIR] = self._config[RUN_DIR]
        return config

    def _composing(self, sweep: SweepConfig, check: Check | None) -> Callable[[list[str]], Any]:
        """What makes and checks the config for the overrides of a job."""

        def compose(overrides: list[str]) -> Any:
            config = self.composed(overrides, sweep)
            check_objective(sweep, config)  # an axis may choose another one, as experiment=debug,ucr does
            return check(config) if check else config

        return compose
