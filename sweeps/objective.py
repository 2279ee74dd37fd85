"""Which way an objective is better."""

from typing import Literal

Direction = Literal["maximize", "minimize"]


def natural_direction(name: str) -> Direction:
    """The better direction of an objective: losses and times are minimized, scores maximized."""
    from spectral.configs.objective import objective_direction

    return objective_direction(name)
