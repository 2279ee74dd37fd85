"""Seeds and folds: replicates of a configuration, which is judged by their mean. None of them is a configuration."""

from collections.abc import Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from sweeps.config import FOLD
from sweeps.errors import user_error
from sweeps.planning.arguments import GROUP

KFOLD = "kfold"


def take_replicates(config: DictConfig, overrides: Sequence[str], config_loader: ConfigLoader) -> tuple[list[str], str]:
    """Make `sweep.seeds` of a list of seeds or folds on the command line or in yaml, or of all folds of split=kfold.

    Args:
        config: of the command; its sweep.seeds and sweep.seed_key are set.
        overrides: of the jobs.

    Returns:
        The overrides that are left, and a line for the user; empty if there are no replicates.

    Raises:
        UserError: seeds and folds are both replicates.
    """
    parsed = OverridesParser.create(config_loader=config_loader).parse_overrides(list(overrides))
    node = OmegaConf.select(config, GROUP)
    seed_key = str(node.seed_key) if node is not None and "seed_key" in node else "seed"
    if node is None or "seeds" not in node or seed_key == FOLD:
        return list(overrides), ""
    keys = (seed_key, FOLD)
    found = {key: values for key in keys if (values := _values(key, parsed, node)) is not None}
    if FOLD not in found and (folds := _all_folds(config, parsed)):
        found[FOLD] = folds
    with open_dict(config):
        for key in {o.key_or_group for o in parsed} & {*keys} - {*found}:
            if _in_space(key, node) is not None:  # the command's value alone is run
                del node.space[key]
    if not found or (node.seeds != 1 and FOLD not in found):
        return list(overrides), ""
    if len(found) > 1 or node.seeds != 1:
        raise user_error(
            f"{seed_key} and {FOLD} are both replicates of a configuration, and a sweep takes one of them: "
            f"split.num_repeats divides into folds again, {FOLD}=0 keeps to one fold."
        )
    ((key, values),) = found.items()
    with open_dict(config):
        config[GROUP].seeds, config[GROUP].seed_key = values, key
        if key in (node.get("space") or {}):
            del node.space[key]
    shown = f"{key}={','.join(map(str, values))}"
    line = f"Each configuration is run with {shown} and judged by the mean: they are replicates, not configurations."
    return [text for text, o in zip(overrides, parsed, strict=True) if o.key_or_group != key], line


def _values(key: str, parsed: Sequence[Override], sweep: DictConfig) -> list[int] | None:
    """The whole numbers that the command, or else the yaml of the search, lists for a key; None if it lists none."""
    given = [override for override in parsed if override.key_or_group == key]
    return _listed(given[-1]) if given else _in_space(key, sweep)


def _listed(override: Override) -> list[int] | None:
    """The values of an argument that is a list to run; None if it is not, or not one of whole numbers.

    Shuffled ones are sorted: Hydra shuffles them differently in each command, and a study would not be resumed.
    """
    if not (override.is_choice_sweep() or override.is_range_sweep()):
        return None
    values = [str(value) for value in override.sweep_iterator()]  # as Hydra gives them
    is_whole = all(value.lstrip("-").isdecimal() for value in values) and len(set(values)) == len(values)
    if not is_whole:
        return None
    numbers = [int(value) for value in values]
    return sorted(numbers) if getattr(override.value(), "shuffle", False) else numbers


def _in_space(key: str, sweep: DictConfig) -> list[int] | None:
    """The values of a key that the yaml of the search lists; None if it does not, or not whole numbers."""
    values = OmegaConf.to_container(sweep).get("space", {}).get(key)  # type: ignore[union-attr]  # a mapping
    is_whole = isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    return values if is_whole else None


def _all_folds(config: DictConfig, parsed: Sequence[Override]) -> list[int]:
    """Every fold of split=kfold; none if the command chooses a fold, or searches the split itself."""
    split = OmegaConf.select(config, "split")
    is_chosen = any(o.key_or_group in (FOLD, "split.num_folds", "split.num_repeats") and _decides(o) for o in parsed)
    is_axis = any(o.key_or_group == "split" and o.is_sweep_override() for o in parsed)
    if not isinstance(split, DictConfig) or split.get("name") != KFOLD or is_chosen or is_axis:
        return []
    if FOLD in (OmegaConf.select(config, f"{GROUP}.space") or {}):
        return []
    return list(range(int(split.num_folds) * int(split.get("num_repeats", 1))))


def _decides(override: Override) -> bool:
    return override.key_or_group == FOLD or override.is_sweep_override()
