"""How labelled spectra are divided into training, validation and test: `split=NAME`."""

from dataclasses import dataclass

from spectral.configs.fields import number
from spectral.configs.registry import Registry
from spectral.errors import UserError

splits = Registry("split")


@splits.register("spectral.data.splits.split:StratifiedSplit")
@dataclass
class StratifiedConfig:
    """Every class is divided in the same proportion; training takes what the fractions leave."""

    name: str = "stratified"
    validation: float = number(0.1, at_least=0, below=1)  # share of the labelled spectra
    test: float = number(0.1, at_least=0, below=1)  # share of the labelled spectra
    seed: int = number(0, at_least=0)  # of the draw

    def check(self, key: str) -> None:
        if self.validation + self.test >= 1:
            raise UserError(
                f"{key}.validation={self.validation} and {key}.test={self.test} leave nothing to train on: "
                "their sum must be below 1."
            )


@splits.register("spectral.data.splits.split:RandomSplit")
@dataclass
class RandomConfig(StratifiedConfig):
    """The survey as a whole is divided, whatever the classes."""

    name: str = "random"


@splits.register("spectral.data.splits.split:KFoldSplit")
@dataclass
class KFoldConfig:
    """A fixed test part, and the rest in folds, one of which is validation."""

    name: str = "kfold"
    num_folds: int = number(5, at_least=2)  # equal parts of what is outside the test part
    fold: int = number(0, at_least=0)  # the one that is validation, from 0; those of a repeat follow on
    num_repeats: int = number(1, at_least=1)  # how often the spectra outside the test part are divided into folds
    test: float = number(0.1, at_least=0, below=1)  # share of the labelled spectra
    seed: int = number(0, at_least=0)  # of the draw

    def check(self, key: str) -> None:
        num_all = self.num_folds * self.num_repeats
        if self.fold >= num_all:
            raise UserError(
                f"{key}.fold={self.fold} is out of range: with {num_all} folds it is at most {num_all - 1}."
            )


@splits.register("spectral.data.splits.split:GivenSplit")
@dataclass
class GivenConfig:
    """The source's own split; where it has no validation, that is taken from its training part, class by class."""

    name: str = "given"
    validation: float = number(0.1, at_least=0, below=1)  # of the source's training part; 0: no validation
    seed: int = number(0, at_least=0)  # of the draw
