"""`sweep.space={}` on the command line: Hydra merges mappings, so that an empty one would change nothing."""

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

KEYS = ("space", "constraints")


def empty_as_told(config: DictConfig, group: str, arguments: Sequence[str]) -> None:
    """Empty those mappings of `config.<group>` that the command line sets to {}, but for what it then puts in.

    Args:
        arguments: the command's overrides.
    """
    given = [o for o in OverridesParser.create().parse_overrides(list(arguments)) if "." in o.key_or_group]
    for key in KEYS:
        name = f"{group}.{key}"
        own = [o for o in given if o.key_or_group == name or o.key_or_group.startswith(f"{name}.")]
        last = max((i for i, o in enumerate(own) if o.key_or_group == name and o.value() == {}), default=None)
        if last is not None:
            fresh = OmegaConf.create({})
            for override in own[last + 1 :]:
                OmegaConf.update(fresh, override.key_or_group, override.value(), force_add=True)
            with open_dict(config):
                config[group][key] = OmegaConf.select(fresh, name, default={})
