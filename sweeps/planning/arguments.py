"""The overrides of a sweep's command: some are for the sweep itself, the others for its jobs."""

import re
from collections.abc import Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from sweeps.errors import user_error
from sweeps.invocation import SEARCH_PATH, command, program

GROUP = "sweep"
RUN_DIR = "run_dir"
NO_SEARCH = (f"{GROUP}=none", f"{GROUP}=default")
MAPPINGS = ("space", "constraints")  # keys of the search that hold a mapping


class Arguments:
    """The overrides of a command, without those of hydra itself.

    Raises:
        UserError: a key of the sweep itself has several values, or all of them are deleted.
    """

    def __init__(self, given: Sequence[str], config_loader: ConfigLoader) -> None:
        self.given = list(given)
        self._parsed = OverridesParser.create(config_loader=config_loader).parse_overrides(self.given)
        for override in self._parsed:
            if override.is_sweep_override() and is_own(override.key_or_group):
                raise user_error(_swept_sentence(override))
            if override.is_delete() and override.key_or_group == GROUP:
                kept = "leave it out, or name another search by sweep=NAME"
                raise user_error(f"{override.input_line} deletes the keys of the search: {kept}.")

    @property
    def of_jobs(self) -> list[str]:
        """The overrides for jobs: without those of the search, and without the folder, since each job has its own."""
        return [text for text, o in zip(self.given, self._parsed, strict=True) if not is_own(o.key_or_group)]

    @property
    def has_folder(self) -> bool:
        """Whether the command names the folder of the sweep's files."""
        return any(override.key_or_group == RUN_DIR for override in self._parsed)

    def leave_open(self, overrides: Sequence[str]) -> list[str]:
        """Those of the given overrides whose keys the command does not set itself: the command has precedence."""
        given = {override.key_or_group for override in self._parsed}
        return [o for o in overrides if o.partition("=")[0].lstrip("+") not in given]


def refuse_search() -> None:
    """Called in a job: raise UserError if its command names a search but has no -m, so that it would be ignored."""
    hydra = HydraConfig.get()
    names_search = rf"\+*{GROUP}[.=]|~{GROUP}\."  # not ~sweep=NAME, which leaves the search out
    searched = [text for text in hydra.overrides.task if text not in NO_SEARCH and re.match(names_search, text)]
    if searched and hydra.mode == RunMode.RUN:
        # Those of hydra, such as a launcher, too; program() has the search path.
        left_out = ("hydra.mode=", SEARCH_PATH)
        of_hydra = [text for text in hydra.overrides.hydra if not text.lstrip("+").startswith(left_out)]
        given = [*of_hydra, *hydra.overrides.task]
        raise user_error(f"{searched[0]} needs -m to search: {command([*program(), '-m'], given)}")


def is_own(key: str) -> bool:
    """Whether a key is of the sweep itself: it has one value for all jobs."""
    return key in (GROUP, RUN_DIR) or key.startswith(f"{GROUP}.")


def _swept_sentence(override: Override) -> str:
    key, space = override.key_or_group, f"{GROUP}.space."
    if key.startswith(space):
        axis = str(override.input_line).lstrip("+").removeprefix(space)
        return f"{override.input_line} cannot be swept over: an axis is given by its own key, as in {axis}."
    return f"{override.input_line} cannot be swept over: {key} has one value for all jobs of a sweep."


def empty_mappings(config: DictConfig, group: str, arguments: Sequence[str]) -> None:
    """Empty the mappings of `config.<group>` that the command line sets to {}, except for keys that it then adds.

    Args:
        arguments: the overrides of the command.
    """
    given = [o for o in OverridesParser.create().parse_overrides(list(arguments)) if "." in o.key_or_group]
    for key in MAPPINGS:
        name = f"{group}.{key}"
        own = [o for o in given if o.key_or_group == name or o.key_or_group.startswith(f"{name}.")]
        last = max((i for i, o in enumerate(own) if o.key_or_group == name and o.value() == {}), default=None)
        if last is not None:
            fresh = OmegaConf.create({})
            for override in own[last + 1 :]:
                OmegaConf.update(fresh, override.key_or_group, override.value(), force_add=True)
            with open_dict(config):
                config[group][key] = OmegaConf.select(fresh, name, default={})
