"""Names of the numbers an experiment may be chosen by. Imports nothing heavy: checked before anything starts."""

from collections.abc import Sequence
from typing import Any, Literal

from spectral.errors import UserError, nearest

# Scores of argmax; by the run's decision rule they have this in front in place of val/.
OF_THE_DECISION = "val/decision/"
DECIDED = ("macro_f1", "accuracy", "balanced_accuracy")
PLAIN = (
    *("train/loss", "val/log_loss", *(f"val/{name}" for name in DECIDED)),
    *(f"{OF_THE_DECISION}{name}" for name in DECIDED),
)
# What result.json holds next to them, for those who bound it.
OF_THE_RUN = (
    *("num_parameters", "receptive_field", "best_epoch", "num_epochs", "time/train_s", "time/last_start_s"),
    *("val/macro_f1_low", "val/macro_f1_high"),
    *(f"{OF_THE_DECISION}macro_f1_low", f"{OF_THE_DECISION}macro_f1_high"),
)
PER_CLASS = (
    *("val/f1/", "val/precision/", "val/recall/"),
    *(f"{OF_THE_DECISION}{name}/" for name in ("f1", "precision", "recall")),
)
OF_ANY_CLASS = tuple(f"{prefix}CLASS" for prefix in PER_CLASS)


def objective_direction(name: str) -> Literal["maximize", "minimize"]:
    """Losses and times are better small, scores are better large, also those of a class named mass_loss."""
    *parts, last = name.split("/")
    is_loss = last.endswith("loss") and not {"f1", "precision", "recall"} & set(parts)
    return "minimize" if is_loss or name.startswith("time/") else "maximize"


def check_objective(name: str, class_names: Sequence[str] | None = None) -> None:
    """Raise UserError for a name that no run reports, or that must not be chosen by.

    Args:
        name: such as "val/macro_f1" or "val/f1/qso".
        class_names: [K], or None while the classes are not known: then any class passes.
    """
    if name.startswith("test/"):
        raise UserError(
            f"objective={name} is refused: the test split is read once, at the end, so choose by "
            f"val/{name.removeprefix('test/')}."
        )
    if class_names is None:
        known = name in PLAIN or _is_of_class(name)
        allowed = [*PLAIN, *OF_ANY_CLASS]
    else:
        allowed = [*PLAIN, *(f"{prefix}{label}" for prefix in PER_CLASS for label in class_names)]
        known = name in allowed
    if not known:
        raise UserError(f"objective={name} is not known: {nearest(name, allowed)}.")


def check_number(name: str, where: str) -> None:
    """Raise UserError for a number that no run reports, or that must not be chosen by; any class passes.

    Args:
        where: the key that names it.
    """
    if name.startswith("test/"):
        raise UserError(
            f"{where} is refused: the test split is read once, at the end, so bound val/{name.removeprefix('test/')}."
        )
    if name not in (*PLAIN, *OF_THE_RUN) and not _is_of_class(name):
        raise UserError(f"{where} is not a number of a run: {nearest(name, [*PLAIN, *OF_THE_RUN, *OF_ANY_CLASS])}.")


def _is_of_class(name: str) -> bool:
    return any(name.startswith(prefix) and name != prefix for prefix in PER_CLASS)


def scores_decision(objective: Any) -> bool:
    """Whether an objective, or one of a list, is a score of the decision rule: the rule then has scores, argmax too."""
    names = objective if isinstance(objective, list) else [objective]
    return any(str(name).startswith(OF_THE_DECISION) for name in names)


class Objectives:
    """What a config says of its `objective`, a metric name or a list of them; it is a base of whole configs."""

    objective: Any

    @property
    def objectives(self) -> list[str]:
        return [self.objective] if isinstance(self.objective, str) else list(self.objective)

    @property
    def scores_decision(self) -> bool:
        """Whether an objective is a score of the decision rule, so that each epoch needs one, by argmax too."""
        return scores_decision(self.objectives)
