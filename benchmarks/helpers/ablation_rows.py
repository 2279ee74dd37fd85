"""The rows of ablations.py: each changes what its control has in one way. Classes: star, unknown, galaxy, qso."""

from dataclasses import dataclass

FIXED = (
    "split=stratified",
    "split.validation=0.2",
    "split.test=0",
    "score_test=false",
    "schedule.keep=last",
)


@dataclass(frozen=True)
class Row:
    """One change.

    Args:
        control: name of the row that it is compared with.
        changes: overrides, next to those of the control.
        without: keys of the control that are left out.
        pretraining: overrides of a pretraining on the same spectra, whose weights the row begins with.
    """

    control: str
    changes: tuple[str, ...]
    without: tuple[str, ...] = ()
    pretraining: tuple[str, ...] | None = None

    @property
    def overrides(self) -> tuple[str, ...]:
        """Those of the control and its controls too; of one key the last counts."""
        inherited = ROWS[self.control].overrides if self.control else ()
        merged = {change.split("=", 1)[0]: change for change in (*inherited, *self.changes)}
        return tuple(change for key, change in merged.items() if key not in self.without)


def _augmented(*parts: str) -> str:
    return f"inputs.augmentations=[{','.join(parts)}]"


def _redshift(largest: float) -> str:
    return f"{{name: redshift, classes: [galaxy, qso], max_redshift: {largest}}}"


def _two_stages(loss: str) -> str:
    """15 epochs as in the control, then 4 at a low and constant learning rate on another loss, of 100 steps each."""
    second = f"name: tune, epochs: 4, steps: 100, start: last, lr: 1e-4, lr_schedule: {{name: constant}}, loss: {loss}"
    return f"schedule.stages=[{{name: train, epochs: 15, steps: 100}}, {{{second}}}]"


REDSHIFT = _redshift(0.2)
WARPED = REDSHIFT, "{name: shift, max_pixels: 3}", "calibration"
REFERENCE_FRACTIONS = "sampler.fractions=[0.8,0.1,0.05,0.05]"
ROWS = {
    "base": Row("", ("sampler.fractions=[0.6,0.2,0.1,0.1]",)),
    "natural": Row("base", ("sampler.fractions=null",)),
    "square_root": Row("base", ("sampler.fractions=[0.671,0.188,0.092,0.049]",)),
    "reference_fractions": Row("base", (REFERENCE_FRACTIONS,)),
    "redshift": Row("base", (_augmented(REDSHIFT),)),
    "redshift_40": Row("redshift", (_augmented(_redshift(0.4)),)),
    "redshift_noise": Row("redshift", (_augmented(REDSHIFT, "noise"),)),
    "redshift_shift_calibration": Row("redshift", (_augmented(*WARPED),)),
    "redshift_natural": Row("redshift", ("sampler.fractions=null",)),
    "redshift_average": Row("redshift", ("schedule.ema_decay=0.995",)),
    "redshift_clip": Row("redshift", ("transform.clip=6",)),
    "redshift_dropout": Row("redshift", ("model.dropout=0.2",)),
    "redshift_batch_norm": Row("redshift", ("model.norm=batch",)),
    "redshift_kernels": Row("redshift", ("model.kernel_sizes=[3,7]",)),
    "redshift_rate": Row("redshift", ("optimizer.lr=8e-3",)),
    "redshift_wide": Row("redshift", ("model.width=16",)),
    "recipe": Row("redshift", (REFERENCE_FRACTIONS,)),
    "recipe_natural": Row("recipe", ("sampler.fractions=null",)),
    "recipe_tau_1": Row("recipe_natural", ("loss=logit_adjusted", "loss.tau=1")),
    "recipe_tau_half": Row("recipe_natural", ("loss=logit_adjusted", "loss.tau=0.5")),
    "recipe_deferred": Row(
        "recipe", ("sampler=schedule", "sampler.start=natural", "sampler.end=balanced"), without=("sampler.fractions",)
    ),
    "recipe_two_cross_entropy": Row("recipe", (_two_stages("{name: cross_entropy}"),)),
    "recipe_two_log_of_mean": Row("recipe_two_cross_entropy", (_two_stages("{name: soft_f1, form: log_of_mean}"),)),
    "recipe_two_mean_of_logs": Row("recipe_two_cross_entropy", (_two_stages("{name: soft_f1, form: mean_of_logs}"),)),
    "recipe_two_weighted": Row(
        "recipe_two_cross_entropy", (_two_stages("{name: soft_f1, form: mean_of_logs, prior_weighted: true}"),)
    ),
    "recipe_balanced": Row("recipe", ("sampler=balanced",), without=("sampler.fractions",)),
    "recipe_constant": Row("recipe", ("lr_schedule=constant",)),
    "recipe_kernels": Row("recipe", ("model.kernel_sizes=[5]",)),
    "recipe_long": Row("recipe", ("schedule.stages.0.epochs=38",)),
    "recipe_redshift_40": Row("recipe", (_augmented(_redshift(0.4)),)),
    "recipe_crop": Row("recipe", (_augmented(REDSHIFT, "crop"),)),
    "recipe_noise": Row("recipe", (_augmented(REDSHIFT, "noise"),)),
    "recipe_mixup": Row("recipe", ("schedule.mixup_alpha=0.2",)),
    "recipe_mixup_more": Row("recipe_mixup", ("schedule.mixup_alpha=0.4",)),
    "recipe_mixup_long": Row("recipe_mixup", ("schedule.stages.0.epochs=38",)),
    "recipe_mixup_dropout": Row("recipe_mixup", ("model.dropout=0.2",)),
    "recipe_mixup_head": Row("recipe_mixup", ("model.head=max_average",)),
    "recipe_mixup_decay": Row("recipe_mixup", ("optimizer=adamw", "optimizer.lr=5e-3", "optimizer.weight_decay=0.05")),
    "recipe_mixup_wide": Row("recipe_mixup", ("model.width=16",)),
    "recipe_mixup_fine": Row("recipe_mixup", ("model.max_length=2000",)),
    "recipe_mixup_median": Row("recipe_mixup", ("transform=median",)),
    "recipe_mixup_median_centered": Row("recipe_mixup_median", ("transform.centered=true",)),
    "recipe_mixup_median_fine": Row("recipe_mixup_median", ("model.max_length=2000",)),
    "recipe_mixup_redshift_40": Row("recipe_mixup", (_augmented(_redshift(0.4)),)),
    "recipe_mixup_warps": Row("recipe_mixup", (_augmented(*WARPED),)),
    "recipe_mixup_prior": Row("recipe_mixup", ("decision.prior_correction=true",)),
    "recipe_mixup_rule": Row("recipe_mixup", ("decision=macro_f1",)),
    "recipe_mixup_shifts": Row("recipe_mixup", ("evaluate_shifts=[-2,0,2]",)),
    "recipe_all": Row("recipe", ("split.validation=0", "objective=train/loss")),
    "recipe_all_mixup": Row("recipe_all", ("schedule.mixup_alpha=0.2",)),
    "recipe_mixup_within": Row("recipe", ("schedule.mixup_alpha=0.2", "schedule.mixup_classes=within")),
    "recipe_average": Row("recipe", ("schedule.ema_decay=0.995",)),
    "recipe_dropout": Row("recipe", ("model.dropout=0.2",)),
    "recipe_median": Row("recipe", ("transform=median",)),
    "recipe_continuum": Row("recipe", ("transform=continuum", "transform.clip=10")),
    "recipe_slope": Row("recipe", ("inputs.channels=[flux,{name: savgol, derivative: 1}]",)),
    "recipe_pretrained": Row("recipe", (), pretraining=()),
    "wide": Row("redshift_shift_calibration", (REFERENCE_FRACTIONS, "model.width=16")),
    "former_best": Row("wide", ("model.max_length=2000",)),
    "former_best_less_warps": Row("former_best", (_augmented(REDSHIFT),)),
    "former_best_less_redshift": Row("former_best", (_augmented(*WARPED[1:]),)),
    "former_best_all_pixels": Row("former_best", ("model.max_length=null",)),
}
