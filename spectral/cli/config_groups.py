"""What `--help` says of config groups: those that the command takes, with the parts that each offers."""

from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf


def register_groups_resolver() -> None:
    """Let the text of a help page list groups: ${groups:data,split} becomes a line for each, with its parts.

    Hydra's own $APP_CONFIG_GROUPS lists the groups of all commands.
    """
    OmegaConf.register_new_resolver("groups", _lines, replace=True)


def _lines(*groups: str) -> str:
    loader = GlobalHydra.instance().config_loader()
    return "\n".join(f"{group}: {', '.join(sorted(loader.get_group_options(group)))}" for group in groups)
