"""Spectral from Python: apply a trained run to arrays, open a survey. See docs/python.md.

n spectra, C channels, L pixels of the run's spectra, l of others, K classes.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

import spectral.configs.root  # noqa: F401  (registers the readers)
from spectral.configs.commands import LoadConfig
from spectral.configs.data import readers
from spectral.configs.fields import check_fields
from spectral.configs.messages import config_sentence
from spectral.data.packing.open import open_survey as open_typed
from spectral.errors import UserError
from spectral.inference.arrays import survey_of_arrays
from spectral.inference.classifier import Classifier
from spectral.inference.onnx_predictor import SUFFIX, OnnxPredictor, check_device, check_precision
from spectral.inference.predictor import Predictor
from spectral.runs.folder import RunFolder
from spectral.survey import Survey


def load_run(
    folder: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    num_threads: int | None = None,
    batch_size: int = 256,
) -> "TrainedRun":
    """A finished run, ready to classify arrays.

    Args:
        folder: of the run, or the file model.onnx that `spectral.export` has made of it, which onnxruntime then applies
            on the CPU.
        device, precision: as the keys of `python -m spectral.predict`: 'auto' takes what is quick here.
        num_threads: of the CPU; None: torch's own number.
        batch_size: spectra at a time, as evaluate_batch_size; it changes probabilities by rounding only.

    Raises:
        UserError: there is no such run, it has not ended, its files were changed, an argument is not allowed, or the
            device is not there; or an ONNX file is to be applied on another device than the CPU or in 'bfloat16'.
    """
    # str: a torch.device too is the name of one.
    given = LoadConfig(str(device), precision, num_threads, batch_size)
    # Path.expanduser fails if no user has the name after ~.
    options, path = _checked(given), Path(os.path.expanduser(folder))  # noqa: PTH111  # a Path raises RuntimeError
    if path.suffix == SUFFIX:
        check_device(options.device, f"run={folder}")
        check_precision(options.precision, f"run={folder}")
        return TrainedRun(OnnxPredictor.load(path, options.batch_size, options.num_threads), f"run={folder}")
    run = RunFolder.existing(path)
    classifier = Classifier.load(run)
    classifier.build_decision()  # a run that has not ended has none
    runtime = classifier.choose_runtime(options.device, options.precision, options.num_threads)
    return TrainedRun(Predictor.load(run, classifier, runtime, options.batch_size), f"run={run.path}")


def _checked(given: LoadConfig) -> LoadConfig:
    """What was given, if types and values are allowed. Raises UserError."""
    values = dataclasses.asdict(given)
    values = {key: value.item() if isinstance(value, np.generic) else value for key, value in values.items()}
    try:
        options = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(LoadConfig), values))
    except OmegaConfBaseException as error:
        raise UserError(config_sentence(error, list(values))) from error
    assert isinstance(options, LoadConfig)
    check_fields(options, "")
    return options


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedRun:
    """A trained network with all that is needed to apply it; made by `load_run`. One of a run folder can be pickled.

    Args:
        name: of the run, in messages.
    """

    predictor: Predictor | OnnxPredictor = dataclasses.field(repr=False)  # its network fills pages
    name: str

    @property
    def class_names(self) -> list[str]:
        """Names of the classes [K], in the order of the probabilities."""
        return list(self.predictor.classifier.class_names)

    @property
    def wave_angstrom(self) -> NDArray[np.float64] | None:
        """Wavelengths [L] of the run's spectra in Angstrom; None if they had none."""
        wave = self.predictor.classifier.wave_angstrom
        return None if wave is None else wave.copy()

    @property
    def output_prior(self) -> list[float] | None:
        """Class shares [K] at which the probabilities stand; None if the run's version did not keep them."""
        prior = self.predictor.classifier.output_prior
        return None if prior is None else list(prior)

    def predict_proba(
        self,
        flux: ArrayLike,
        ivar: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        wave: ArrayLike | None = None,
    ) -> NDArray[np.float64]:
        """Class probabilities [n, K], those that `python -m spectral.predict` gives; a baseline is removed as there.

        Args:
            flux: [n, l], [n, C, l], or [l] for one spectrum. Any number where masked.
            ivar: inverse variance of the flux's shape; a pixel with 0, less, or none counts as bad.
            mask: [n, l], or [l] for one spectrum; True (or any number but 0) where a pixel is bad. Those that a masked
                array of NumPy hides, as flux or ivar, are bad too.
            wave: wavelengths in Angstrom: [l] of all spectra, or [n, l]. Spectra on others than the run's are resampled
                to the run's, flux conserved. None: the pixels are the run's own.

        Raises:
            ValueError: a shape is wrong, a spectrum cannot be classified, or wavelengths are missing.
        """
        try:
            classifier, min_pixels = self.predictor.classifier, self.predictor.min_pixels
            survey = survey_of_arrays(classifier, self.name, flux, ivar, mask, wave, min_pixels)
            if not len(survey):
                return np.zeros((0, len(self.class_names)))
            return self.predictor.probabilities(survey, np.arange(len(survey)))
        except UserError as error:
            raise ValueError(str(error)) from error

    def predict(
        self,
        flux: ArrayLike,
        ivar: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        wave: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """The class name [n] that the run's decision rule gives each spectrum. Arguments as of `predict_proba`."""
        decided = self.predictor.decide(self.predict_proba(flux, ivar, mask, wave))
        return np.asarray(self.class_names)[decided]

    def predict_table(
        self,
        flux: ArrayLike,
        ivar: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        wave: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """One row per spectrum: `predicted`, and `probability/<class>` of each class."""
        probability = self.predict_proba(flux, ivar, mask, wave)
        columns = {f"probability/{name}": probability[:, k] for k, name in enumerate(self.class_names)}
        return pd.DataFrame({"predicted": np.asarray(self.class_names)[self.predictor.decide(probability)]} | columns)


def open_survey(
    data: str | Mapping[str, Any] = "packed", *, cache_dir: str | Path = "outputs/surveys", **options: Any
) -> Survey:
    """The survey of a reader: memory maps of its spectra, and their catalog. It is packed first if it is not yet.

    Args:
        data: the reader, as in `data=NAME`, or a whole data config such as the `data` node of a run's config.yaml.
        cache_dir: where surveys are packed.
        options: the reader's own keys, as in `data.KEY=VALUE`: `folder="pack"`, `path="survey.npz"`. Without
            `num_workers` this process packs alone; others are started only under `if __name__ == "__main__":`.

    Raises:
        UserError: an unknown reader or option, or data that cannot be read.
    """
    given = {"name": data} if isinstance(data, str) else dict(data)
    given |= {key: str(value) if isinstance(value, Path) else value for key, value in options.items()}
    config = readers.typed(given)
    if getattr(config, "num_workers", 1) is None:
        config.num_workers = 1  # each of several would import the calling script again
    return open_typed(config, Path(cache_dir))
