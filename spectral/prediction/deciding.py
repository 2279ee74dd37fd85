"""From a network's probabilities to the classes of a catalog, as the command and the run's validation say.

n spectra, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.configs.class_lists import in_class_order
from spectral.configs.commands import ESTIMATE, PredictConfig, Priors
from spectral.errors import UserError
from spectral.prediction.applied_run import AppliedRun
from spectral.prediction.priors import estimate_shares
from spectral.prediction.rejection import Threshold, judged, threshold_for
from spectral.prediction.validation import Validation
from spectral.scoring.cross_fitting import decide_validation
from spectral.scoring.decision import Decision, prior_ratio
from spectral.scoring.metrics import Floats, Labels

TRUSTED = 0.05  # an error of an estimated share, on validation, that is not warned of


@dataclass(frozen=True)
class Decided:
    """The columns of some spectra."""

    classes: Labels  # [n]
    probabilities: NDArray[np.float32]  # [n, K]
    entropy: NDArray[np.float32]  # [n], of the probabilities, in nats
    is_rejected: NDArray[np.bool_]  # [n]


@dataclass
class Deciding:
    """How classes are decided on.

    Args:
        rule: the run's own, or the same at the class shares of the command.
        at_shares: whether the probabilities that are written are those at the class shares of the command.
        report: what to keep of it, as JSON values.
        sentences: what to say of it.
        doubts: what speaks against it.
    """

    rule: Decision
    at_shares: bool = False
    threshold: Threshold | None = None
    report: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def __call__(self, probabilities: Floats) -> Decided:
        """Decide on probabilities [n, K] as the network gives them."""
        classes = self.rule(probabilities)
        shown = self.rule.corrected(probabilities) if self.at_shares else probabilities
        single = shown.astype(np.float32)
        confidence = single[np.arange(len(single)), classes]
        logs = np.log(shown, out=np.zeros_like(shown), where=shown > 0)
        rejected = np.zeros(len(classes), bool) if self.threshold is None else self.threshold.rejects(confidence)
        return Decided(classes, single, (-(shown * logs).sum(1) + 0.0).astype(np.float32), rejected)


def given_shares(priors: Any, class_names: list[str]) -> Floats | None:
    """The class shares [K] that a command gives; None if it gives none, or wants them estimated.

    Raises:
        UserError: they are not one number for each of these classes.
    """
    if priors is None or priors == ESTIMATE:
        return None
    return np.asarray(in_class_order(Priors(priors), "", class_names, "the run").priors, np.float64)


def check_can_decide(command: PredictConfig, run: AppliedRun) -> None:
    """Raise UserError if the run lacks what the command needs to decide."""
    if run.other_shifts is not None and (command.reject is not None or command.priors is not None):
        raise UserError(
            f"evaluate_shifts={run.other_shifts} is not that of the run, and reject and priors are fitted to what the "
            "run said of its validation spectra: leave one out, or train with these shifts."
        )
    if command.priors is not None and run.classifier.output_prior is None:
        raise UserError("priors needs output_prior, which the model.json of this run lacks.")
    if command.priors is not None and run.rule.num_iterations and run.validation is None:
        raise UserError(
            "priors needs the run's validation predictions, to fit decision=macro_f1 at these class shares."
        )
    if command.reject is not None and run.validation is None:
        raise UserError("reject needs the run's validation predictions, and it has none: give reject_below.")


def prepare_deciding(command: PredictConfig, run: AppliedRun, probabilities: Callable[[], Floats]) -> Deciding:
    """How the command's catalog is decided on.

    Args:
        run: as check_can_decide has passed it.
        probabilities: gives those of the command's spectra [n, K], for an estimate.

    Raises:
        UserError: a precision is not reached, or a class that was never seen in training is given a share.
    """
    rule, class_names, validation = run.rule, run.class_names, run.validation
    shares = given_shares(command.priors, class_names)
    deciding = Deciding(rule)
    decided = None if validation is None else validation.decided
    weights = None if validation is None else np.ones(len(validation.labels))
    if command.priors is not None:
        prior = np.asarray(run.classifier.output_prior)
        if shares is None:
            classified = probabilities()
            if not len(classified):
                raise UserError("priors=estimate needs spectra with a class, and none has one: leave priors out.")
            shares = estimate_shares(classified, prior)
            deciding.doubts = _doubts_of_estimate(prior, class_names, validation)
            deciding.sentences.append(
                f"class shares, estimated from {len(classified):,} spectra: {_listed(shares, class_names)}"
            )
        deciding.rule, deciding.at_shares = _at_shares(rule, shares, prior, class_names, validation), True
        deciding.report["priors"] = dict(zip(class_names, shares.tolist(), strict=True))
        if validation is not None:
            weights, seed = validation.weights(shares), run.seed() if rule.num_iterations else 0
            decided = decide_validation(
                deciding.rule.unfitted,
                validation.probabilities,
                validation.labels,
                seed,
                weights,
                validation.objects,
            )
            _report_effect(deciding, validation, decided, weights)
    deciding.doubts += _doubts_of_run(command, run)
    if command.reject is not None or command.reject_below is not None:
        deciding.threshold = _threshold(command, deciding, validation, decided, weights)
        _report_threshold(deciding)
    return deciding


def _doubts_of_run(command: PredictConfig, run: AppliedRun) -> list[str]:
    """What speaks against it in how the run was trained."""
    doubts = list[str]()
    if command.priors is not None and run.is_mixed:
        doubts.append(
            f"{run.name} was trained on mixtures (schedule.mixup_alpha), so its probabilities are too small to be "
            "moved to other class shares: leave priors out."
        )
    is_judged = (command.priors, command.reject, command.reject_below) != (None, None, None)
    if is_judged and run.validation is not None and run.validation.is_out_of_fold:
        doubts.append(
            f"{run.name} is an ensemble of folds: what is fitted to its validation, or said of it, is by the "
            "probabilities of single members, and those of their average are others."
        )
    return doubts


def _doubts_of_estimate(output_prior: Floats, class_names: list[str], validation: Validation | None) -> list[str]:
    """Whether an estimate can be trusted: on validation, where the shares are known, the same is tried."""
    if validation is None:
        return []
    found = estimate_shares(validation.probabilities, output_prior)
    true = np.bincount(validation.labels, minlength=len(class_names)) / len(validation.labels)
    worst = int(np.abs(found - true).argmax())
    if abs(found[worst] - true[worst]) <= TRUSTED:
        return []
    return [
        f"priors=estimate is not to be trusted with this run: on its validation it finds the share "
        f"{found[worst]:.3f} for {class_names[worst]}, which has {true[worst]:.3f}."
    ]


def _at_shares(
    rule: Decision, shares: Floats, output_prior: Floats, class_names: list[str], validation: Validation | None
) -> Decision:
    """The run's rule at other class shares; one that was fitted is fitted again, on validation weighted to them."""
    lacking = np.flatnonzero((output_prior <= 0) & (shares > 0))
    if len(lacking):
        raise UserError(f"priors gives '{class_names[lacking[0]]}' a share, which the run never saw in training.")
    ratio = prior_ratio(shares, np.where(output_prior > 0, output_prior, 1))
    moved = Decision(len(shares), ratio, rule.num_iterations)
    if rule.num_iterations:
        assert validation is not None  # as check_can_decide has seen
        moved.fit(validation.probabilities, validation.labels, validation.weights(shares))
    return moved


def _report_effect(deciding: Deciding, validation: Validation, decided: Labels, weights: Floats) -> None:
    scores = {
        "macro_f1_before": validation.macro_f1(validation.decided),
        "macro_f1_after": validation.macro_f1(decided),
        "macro_f1_before_at_priors": validation.macro_f1(validation.decided, weights),
        "macro_f1_after_at_priors": validation.macro_f1(decided, weights),
    }
    deciding.report["priors_on_validation"] = scores | {"num_spectra": len(decided)}
    before, after, there, moved = scores.values()
    deciding.sentences.append(
        f"priors on validation, {len(decided):,} spectra: macro-F1 {before:.4f} before, {after:.4f} after; weighted to "
        f"these class shares {there:.4f} before, {moved:.4f} after"
    )


def _threshold(
    command: PredictConfig,
    deciding: Deciding,
    validation: Validation | None,
    decided: Labels | None,
    weights: Floats | None,
) -> Threshold:
    if validation is None or decided is None or weights is None:
        assert command.reject_below is not None  # as check_can_decide has seen
        return Threshold(command.reject_below)
    shown = deciding.rule.corrected(validation.probabilities) if deciding.at_shares else validation.probabilities
    confidence = shown.astype(np.float32)[np.arange(len(decided)), decided]
    is_right = decided == validation.labels
    if command.reject is not None:
        return threshold_for(command.reject, confidence, is_right, weights)
    assert command.reject_below is not None
    return judged(command.reject_below, confidence, is_right, weights)


def _report_threshold(deciding: Deciding) -> None:
    threshold = deciding.threshold
    assert threshold is not None
    deciding.report["reject"] = vars(threshold)
    # All digits of the number that is compared with: rounded, 0.99998 would be 1.
    digits = np.format_float_positional(np.float32(threshold.probability), trim="-")
    sentence = f"rejected: predictions of a probability below {digits}"
    if threshold.kept is not None:
        share, weighted = f"{100 * threshold.kept:.3g} %", ", weighted to these class shares" * deciding.at_shares
        right = "" if threshold.precision is None else f", {100 * threshold.precision:.4g} % of them right{weighted}"
        sentence += f"; on validation {threshold.num_kept:,} are kept ({share}{weighted}){right}"
    deciding.sentences.append(sentence)


def _listed(shares: Floats, class_names: list[str]) -> str:
    return ", ".join(f"{name} {share:.4g}" for name, share in zip(class_names, shares, strict=True))
