"""The search space: the searched keys, their values, and how a configuration becomes overrides.

For users: docs/sweep-space.md
"""

from sweeps.space.check import check_enqueued, check_seeds, check_space, open_condition, unmet_condition
from sweeps.space.constraints import Constraint, read_constraints
from sweeps.space.signature import difference
from sweeps.space.space import Space

__all__ = [
    "Constraint",
    "Space",
    "check_enqueued",
    "check_seeds",
    "check_space",
    "difference",
    "open_condition",
    "read_constraints",
    "unmet_condition",
]
