"""The weight of each class, as several losses need it. K classes."""

from collections.abc import Sequence

from torch import Tensor

from spectral.errors import UserError


def require_drawn(batch_fractions: Tensor, what: str, class_names: Sequence[str] | None = None) -> None:
    """Raise UserError if a class is never drawn, for a loss that divides by its fraction.

    Args:
        batch_fractions: [K], the fraction of each class in the training batches.
        what: the setting that needs every class, such as "loss.balanced=true"; it begins the sentence.
        class_names: [K], for the sentence.
    """
    missing = (batch_fractions <= 0).nonzero().flatten().tolist()
    if missing:
        name = f" ({class_names[missing[0]]})" if class_names else ""
        raise UserError(
            f"{what} needs every class in the training batches, but the sampler never draws class index "
            f"{missing[0]}{name}."
        )


def class_weights(
    weights: list[float] | None,
    balanced: bool,
    batch_fractions: Tensor,
    class_names: Sequence[str] | None = None,
) -> Tensor | None:
    """The weight [K] of each class in a loss, or None if all count alike.

    Balanced weights are 1 / (K f_c), scikit-learn's "balanced" with f the fraction of the class in the *batches*: a
    sampler that already draws the classes evenly is not corrected a second time.

    Raises:
        UserError: balanced weights need every class in the batches.
    """
    if weights is not None:
        return batch_fractions.new_tensor(weights)
    if not balanced:
        return None
    require_drawn(batch_fractions, "loss.balanced=true", class_names)
    return 1 / (len(batch_fractions) * batch_fractions)


def reweighted(fractions: Tensor, weights: Tensor | None) -> Tensor:
    """The class fractions [K] that remain of `fractions` [K] when each class counts by its weight [K]."""
    if weights is None:
        return fractions
    weighted = fractions * weights
    return weighted / weighted.sum()
