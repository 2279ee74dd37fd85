"""The rows of ablations.py: each changes what its control has in one way. Classes: star, unknown, galaxy, qso."""

from dataclasses import dataclass

FIXED = (
    "split=stratified",
    "split.validation=0.2",
    "split.test=0",
    "score_test=false",
    "optimizer.lr=5e-3",
    "lr_schedule.warmup_fraction=0.05",
    "schedule.keep=best",
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


def _augmented(*parts: str) -> str:
    return f"inputs.augmentations=[{','.join(parts)}]"


def _redshift(largest: float) -> str:
    return f"{{name: redshift, classes: [galaxy, qso], max_redshift: {largest}}}"


REDSHIFT = _redshift(0.2)
WARPED = REDSHIFT, "{name: shift, max_pixels: 3}", "calibration"
REFERENCE_FRACTIONS = "sampler.fractions=[0.8,0.1,0.05,0.05]"
ROWS = {
    "base": Row("", ()),
    "natural": Row("base", ("sampler.fractions=null",)),
    "square_root": Row("base", ("sampler.fractions=[0.671,0.188,0.092,0.049]",)),
    "reference_fractions": Row("base", (REFERENCE_FRACTIONS,)),
    "redshift": Row("base", (_augmented(REDSHIFT),)),
    "redshift_40": Row("redshift", (_augmented(_redshift(0.4)),)),
    "redshift_noise": Row("redshift", (_augmented(REDSHIFT, "noise"),)),
    "redshift_shift_calibration": Row("redshift", (_augmented(*WARPED),)),
    "redshift_reference_fractions": Row("redshift", (REFERENCE_FRACTIONS,)),
    "redshift_natural": Row("redshift", ("sampler.fractions=null",)),
    "redshift_average": Row("redshift", ("schedule.ema_decay=0.995",)),
    "redshift_clip": Row("redshift", ("transform.clip=6",)),
    "redshift_dropout": Row("redshift", ("model.dropout=0.2",)),
    "redshift_batch_norm": Row("redshift", ("model.norm=batch",)),
    "redshift_kernels": Row("redshift", ("model.kernel_sizes=[3,7]",)),
    "redshift_rate": Row("redshift", ("optimizer.lr=8e-3",)),
    "redshift_wide": Row("redshift", ("model.width=16",)),
    "wide": Row("redshift_shift_calibration", (REFERENCE_FRACTIONS, "model.width=16")),
    "best": Row("wide", ("model.max_length=2000",)),
    "best_less_warps": Row("best", (_augmented(REDSHIFT),)),
    "best_less_redshift": Row("best", (_augmented(*WARPED[1:]),)),
    "best_all_pixels": Row("best", ("model.max_length=null",)),
}
