"""Keys of a search that change nothing, since another option of the experiment counts in their place."""

import logging
from collections.abc import Sequence
from typing import Any

from sweeps.space import Space
from sweeps.space.domains.choice import Fixed

log = logging.getLogger(__name__)


def ignored_axis(space: Space, checked: Sequence[tuple[list[str], Any]]) -> str:
    """A sentence for an axis that changes nothing in any configuration, so that its trials are all the same; or "".

    A key with one value for all jobs is warned of, and so is what does nothing in all of them.

    Args:
        checked: of each configuration that is allowed, its overrides and the typed config; between them they have all
            extremes. Configs of other programs are passed over.
    """
    from spectral.configs.ignored import ignored_options, replacement
    from spectral.configs.root import ExperimentConfig

    replaced: dict[str, list[tuple[str, str]]] = {}
    for overrides, config in checked:
        for override in overrides if isinstance(config, ExperimentConfig) else ():
            name = override.partition("=")[0].lstrip("+")
            replaced.setdefault(name, []).append((override, replacement(config, override)))
    for name, found in replaced.items():
        if not all(why for _, why in found):
            continue
        override, why = found[0]
        if name in space.axes and not isinstance(space.axes[name].domain, Fixed):
            return f"{name} cannot be searched, since it does nothing here: {why}."
        log.warning("%s does nothing: %s.", override, why)
    said = [ignored_options(config, ()) for _, config in checked if isinstance(config, ExperimentConfig)]
    for sentence in said[0] if said else ():
        if all(sentence in others for others in said):  # each trial says its own in its log
            log.warning(sentence)
    return ""
