"""Which way an objective is better."""

from typing import Literal

Direction = Literal["maximize", "minimize"]


def natural_direction(name: str) -> Direction:
    """Losses and times are better small, scores are better large."""
    from spectral.configs.objective import objective_direction

    return objective_direction(name)
