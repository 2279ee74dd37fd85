"""Training as a classifier of scikit-learn. n spectra, C channels, L pixels, K classes."""

import contextlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from spectral import experiment
from spectral.api import TrainedRun, load_run
from spectral.configs.models import models
from spectral.configs.sampler import ScheduleSamplerConfig, samplers
from spectral.errors import UserError, nearest
from spectral.runs.folder import RunFolder
from spectral.scoring.cross_fitting import TooFewToFitError

# conf/model/compact.yaml, which an installed package does not have.
PRESETS = {"compact": {"name": "reference", "width": 8, "max_length": 1000}}
Part = str | Mapping[str, Any]


def _model(given: Part) -> Part:
    """The config of a network, or its name, if it is no preset. Raises ValueError if nothing has that name."""
    if not isinstance(given, str):
        return given
    if given not in PRESETS and given not in models.names:
        raise ValueError(f"model={given} is not known: {nearest(given, [*PRESETS, *models.names])}.")
    return PRESETS.get(given, given)


def _check_unmasked(flux: ArrayLike) -> None:
    """Raise ValueError for a masked array, whose mask scikit-learn's own check would ignore."""
    if np.ma.is_masked(flux):
        raise ValueError("X is a masked array that hides some pixels: a classifier takes no masks, run.py does.")


class SpectralClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network of Spectral, trained on arrays. Each part is a name, or a mapping of its `name` and options.

    Args:
        model: compact, reference, resnet1d, inception_time, lite_time, fcn, or one of your own.
        epochs: passes over the training spectra.
        batch_size: spectra in a batch.
        learning_rate: of the optimizer at its start; it falls along half a cosine.
        scaling: how each spectrum is scaled: standardize, median, l2, scale, none.
        sampler: which spectra make up a batch: natural, balanced, fractions, schedule.
        loss: cross_entropy, focal, soft_f1, logit_adjusted, balanced_softmax.
        decision: from probabilities to a class: argmax, or macro_f1, which is fitted on what is held out.
        validation_fraction: of each class, held out to choose the best epoch by its macro-F1. At 0, or if a class has
            a single spectrum, the epoch of the lowest training loss is taken; with a sampler whose class shares
            move, so that losses cannot be compared, the last one.
        config: further nodes of an experiment's config, which replace those made of the arguments above:
            `{"optimizer": {"name": "adamw", "weight_decay": 0.01}}`. The classes are named by their number in
            `classes_`, from 0. No run folder is kept, so `run_dir` is none of them.
        device, precision, num_threads: as the keys of `run.py`.
        random_state: seed, RandomState or None for another result each time.
        verbose: whether the epochs are printed.

    Attributes:
        classes_: labels [K], sorted; the columns of `predict_proba`.
        run_: the trained network, see `spectral.load_run`.
        result_: scores and times, as in a run's result.json.
    """

    def __init__(
        self,
        model: Part = "compact",
        *,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        scaling: Part = "standardize",
        sampler: Part = "natural",
        loss: Part = "cross_entropy",
        decision: Part = "argmax",
        validation_fraction: float = 0.1,
        config: Mapping[str, Any] | None = None,
        device: str = "auto",
        precision: str = "auto",
        num_threads: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scaling = scaling
        self.sampler = sampler
        self.loss = loss
        self.decision = decision
        self.validation_fraction = validation_fraction
        self.config = config
        self.device = device
        self.precision = precision
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  (scikit-learn's name)
        """Train on spectra [n, L] or [n, C, L] with a label each [n].

        Raises:
            ValueError: the arrays or an argument cannot be used.
        """
        _check_unmasked(X)
        flux, labels = validate_data(self, X, y, dtype=np.float32, allow_nd=True)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has the one class {self.classes_[0]!r}: training needs two classes or more.")
        # By number: a reader has its own idea of labels such as "0.0", "" or "nan".
        names = [str(k) for k in range(len(self.classes_))]
        with tempfile.TemporaryDirectory() as folder:
            survey = Path(folder) / "survey.npz"
            np.savez(survey, flux=flux, label=np.asarray(names)[index])
            holds_out = self.validation_fraction > 0 and np.bincount(index).min() > 1
            config = self._experiment(survey, names, validation=self.validation_fraction if holds_out else 0.0)
            trained, self.result_ = self._train(config, Path(folder) / "run")
        classifier = trained.predictor.classifier
        classifier.class_names = [str(label) for label in self.classes_]
        self.run_ = TrainedRun(trained.predictor, "the classifier")
        return self

    def _experiment(self, survey: Path, names: list[str], validation: float) -> dict[str, Any]:
        """The config of an experiment on a survey file, as run.py composes one.

        Raises:
            ValueError: the network is not known, or the config names a folder for the run.
        """
        if self.config and "run_dir" in self.config:
            run_dir = self.config["run_dir"]
            raise ValueError(f"config: run_dir={run_dir} cannot be given: a classifier keeps no run folder.")
        data = {"name": "arrays", "path": str(survey), "class_names": names, "num_workers": 1, "channels_last": False}
        keep = "best" if validation or not self._moves() else "last"
        stage = {"name": "train", "epochs": self.epochs, "steps": None}
        made = {
            "seed": int(check_random_state(self.random_state).randint(2**31 - 1)),
            "run_dir": str(survey.parent / "run"),
            "cache_dir": str(survey.parent / "cache"),
            "objective": "val/macro_f1" if validation else "train/loss",
            "device": self.device,
            "precision": self.precision,
            "num_threads": self.num_threads,
            "data": data,
            "split": {"name": "stratified", "validation": validation, "test": 0.0},
            "transform": self.scaling,
            "sampler": self.sampler,
            "model": _model(self.model),
            "loss": self.loss,
            "optimizer": {"name": "adam", "lr": self.learning_rate},
            "lr_schedule": {"name": "cosine", "warmup_fraction": 0.0},
            "schedule": {"stages": [stage], "batch_size": self.batch_size, "keep": keep},
            "decision": self.decision,
            "tracker": "none",
            "plots": False,
        }
        return {key: dict(v) if isinstance(v, Mapping) else v for key, v in {**made, **(self.config or {})}.items()}

    def _moves(self) -> bool:
        """Whether the class shares of the batches move. Raises ValueError if the sampler is wrong."""
        sampler = (self.config or {}).get("sampler", self.sampler)
        try:
            typed = samplers.typed(dict(sampler) if isinstance(sampler, Mapping) else sampler)
        except UserError as error:
            raise ValueError(str(error)) from error
        return isinstance(typed, ScheduleSamplerConfig) and typed.moves

    def _train(self, config: dict[str, Any], folder: Path) -> tuple[TrainedRun, dict[str, Any]]:
        printed = contextlib.nullcontext() if self.verbose else contextlib.redirect_stdout(io.StringIO())
        try:
            with printed:
                experiment.run(OmegaConf.create(config))
            trained = load_run(folder, device=self.device, precision=self.precision, num_threads=self.num_threads)
            result = RunFolder(folder).load_result()
        except TooFewToFitError as error:
            raise ValueError(self._too_few_to_fit(error)) from error
        except UserError as error:
            raise ValueError(str(error)) from error
        assert result is not None
        return trained, result

    def _too_few_to_fit(self, error: TooFewToFitError) -> str:
        """What is said of a decision rule that cannot be fitted, by the arguments of this class."""
        if "split" in (self.config or {}):
            return str(error)
        name = error.class_name
        found = "there are none" if name is None else f"there is one of the class '{self.classes_[int(name)]}'"
        return (
            f"decision=macro_f1 is fitted on spectra that are held out, two or more of each class, and {found}: give a "
            "larger validation_fraction, more spectra of each class, or decision='argmax'."
        )

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803  (scikit-learn's name)
        """Class probabilities [n, K] of spectra [n, L] or [n, C, L]."""
        check_is_fitted(self)
        _check_unmasked(X)
        return self.run_.predict_proba(validate_data(self, X, dtype=np.float32, allow_nd=True, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803  (scikit-learn's name)
        """The class [n] that the decision rule gives to spectra [n, L] or [n, C, L]."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[self.run_.predictor.decide(probabilities)])
