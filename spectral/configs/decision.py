"""How class probabilities become a class: `decision=NAME`."""

from dataclasses import dataclass

from spectral.configs.fields import number
from spectral.configs.registry import Registry

decisions = Registry("decision")


@decisions.register("spectral.scoring.decision:argmax_rule")
@dataclass
class ArgmaxConfig:
    name: str = "argmax"
    prior_correction: bool = False


@decisions.register("spectral.scoring.decision:macro_f1_rule")
@dataclass
class MacroF1Config:
    name: str = "macro_f1"
    prior_correction: bool = True
    num_iterations: int = number(20, at_least=1, at_most=1000)  # of the fit on validation
