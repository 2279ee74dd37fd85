"""The rows of results.py, and how long networks are trained at each scale."""

from collections.abc import Sequence
from dataclasses import dataclass

BASELINE = ("-m", "spectral.baseline")
REFERENCE_FRACTIONS = "sampler.fractions=[0.8,0.1,0.05,0.05]"  # star, unknown, galaxy, qso


@dataclass(frozen=True)
class Row:
    """A method.

    Args:
        kind: "network" or "baseline".
        overrides: of its command, but for data, seed and length of training.
        is_fixed: whether it draws nothing, so that one seed says all.
        share_of_steps: of the steps of the scale.
    """

    kind: str
    name: str
    overrides: tuple[str, ...]
    is_fixed: bool = False
    share_of_steps: float = 1.0


@dataclass(frozen=True)
class Scale:
    """How long networks are trained: epochs of `steps` steps of 160 spectra.

    Args:
        epochs: of a network with one stage.
        reference: epochs of the reference's two stages.
        simulated: the data where no survey is given.
    """

    steps: int
    epochs: int
    reference: tuple[int, int]
    simulated: tuple[str, ...]


PRIORS = "data.priors=[0.907,0.071,0.017,0.005]"
SCALES = {
    "quick": Scale(
        5,
        1,
        (1, 1),
        ("data=simulated", "data.num_spectra=1000", "split=stratified", "split.validation=0.2", "split.test=0.4"),
    ),
    "small": Scale(
        40,
        8,
        (6, 2),
        ("data=simulated", "data.num_spectra=8000", "split=stratified", "split.validation=0.2", "split.test=0.4"),
    ),
    "full": Scale(
        100,
        19,
        (15, 4),
        (
            "data=simulated",
            "data.num_spectra=80000",
            PRIORS,
            "split=stratified",
            "split.validation=0.05",
            "split.test=0.75",
        ),
    ),
}
# Networks without pooling get a quarter of the steps, on pixels averaged by fours, as the default network has them: FCN
# still takes as long as the reference then. LITE, a fifth of the cost of FCN, gets all steps. QUANT and
# MultiRocket-Hydra would take hours on all pixels.
BY_FOURS = "data.grid={kind: linear, start_angstrom: 3692, stop_angstrom: 9097, step: 8.325}"
PEER = "sampler=fractions", REFERENCE_FRACTIONS, BY_FOURS
ROWS = {
    row.name: row
    for row in (
        Row("baseline", "pca_boosting", ("method=boosting",)),
        Row("baseline", "minirocket", ("method=minirocket",)),
        Row("baseline", "multirocket_hydra", ("method=multirocket_hydra", BY_FOURS)),
        Row("baseline", "quant", ("method=quant", BY_FOURS)),
        Row("network", "fcn", ("model=fcn", *PEER), share_of_steps=0.25),
        Row("network", "resnet1d", ("model=resnet1d", *PEER), share_of_steps=0.25),
        Row("network", "inception_time", ("model=inception_time", *PEER), share_of_steps=0.25),
        Row("network", "lite_time", ("model=lite_time", *PEER)),
        Row("network", "reference", ("experiment=reference",)),
        Row("network", "default", ()),
        Row("network", "best", ("experiment=best",)),
    )
}


def program_of(row: Row) -> tuple[str, ...]:
    return BASELINE if row.kind == "baseline" else ("run.py",)


def overrides_of(row: Row, scale_name: str) -> Sequence[str]:
    """The overrides of a row at a scale. The split and the seed of its own are the protocol's, not the reference's."""
    if row.kind == "baseline":
        return row.overrides
    scale = SCALES[scale_name]
    steps = max(round(scale.steps * row.share_of_steps), 1)
    stages = [f"schedule.stages.0.epochs={scale.epochs}", f"schedule.stages.0.steps={steps}"]
    if row.name == "reference":
        stages = [f"schedule.stages.{i}.epochs={epochs}" for i, epochs in enumerate(scale.reference)]
        stages += [f"schedule.stages.{i}.steps={scale.steps}" for i in range(2)]
    return (*row.overrides, *stages)
