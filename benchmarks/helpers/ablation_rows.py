"""The rows of ablations.py: each changes what its control has in one way. Classes: star, unknown, galaxy, qso."""

from dataclasses import dataclass

FIXED = (
    "split=stratified",
    "split.validation=0.2",
    "split.test=0",
    "score_test=false",
    "optimizer.lr=5e-3",
    "lr_schedule.warmup_fraction=0.05",
    "sampler.fractions=[0.6,0.2,0.1,0.1]",
)


@dataclass(frozen=True)
class Row:
    """One change.

    Args:
        control: name of the row that it is compared with.
        changes: overrides, next to those of the control.
    """

    control: str
    changes: tuple[str, ...]

    @property
    def overrides(self) -> tuple[str, ...]:
        """Those of the control and its controls too; of one key the last counts."""
        inherited = ROWS[self.control].overrides if self.control else ()
        merged = {change.split("=", 1)[0]: change for change in (*inherited, *self.changes)}
        return tuple(merged.values())
