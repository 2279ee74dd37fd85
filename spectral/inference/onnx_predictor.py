"""A run as one ONNX file, applied by onnxruntime. n spectra, K classes.

The file's metadata holds what model.json does, each key with its value as JSON, and a few more: see docs/export.md.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.logits import batch_source
from spectral.inference.model_json import checked_content
from spectral.inference.too_short import min_pixels_of
from spectral.inputs.batches import BatchSource, Rows
from spectral.inputs.inputs import Inputs
from spectral.runs.mixtures import MIXED
from spectral.runtime import Runtime
from spectral.scoring.metrics import Labels
from spectral.scoring.scores import softmax
from spectral.scoring.split_scores import Probabilities
from spectral.survey import Survey

SUFFIX = ".onnx"
OUTPUTS = ["probabilities", "class_index"]
# Keys of the metadata that model.json does not have; earlier versions wrote no MIXED.
FURTHER = ("export_format", "fingerprint", "version", MIXED)
ON_CPU = Runtime(torch.device("cpu"), "float32", channels_last=False, compile=False, num_threads=1)
LEAST = 1e-300  # taken for a probability of 0, whose logarithm is not finite


def need_packages(what: str, *names: str) -> None:
    """Raise UserError if a package of the extra `export` is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{what} needs {' and '.join(missing)}, which is not installed: python -m pip install -e '.[export]'."
        )


def check_precision(precision: str, name: str) -> None:
    """Raise UserError for a precision that onnxruntime does not compute in; `name` is the file in sentences."""
    if precision == "bfloat16":
        raise UserError(
            f"precision=bfloat16 is not allowed with {name}: onnxruntime computes in float32; leave it out, or give "
            "the folder of the run."
        )


def check_device(device: str, name: str) -> None:
    """Raise UserError for a device that an ONNX file is not applied on; `name` is the file in sentences."""
    if device not in ("auto", "cpu"):
        raise UserError(f"device={device} is not allowed with {name}: an ONNX file is applied on the CPU.")


@dataclass
class OnnxPredictor:
    """Gives class probabilities of batches of spectra, and decides on a class, as Predictor does.

    Args:
        session: of onnxruntime.
        inputs: of the run; the session makes them itself, here they say what must be read.
        is_mixed: whether the run was trained on mixtures of classes, as far as the file says so.
    """

    classifier: Classifier
    session: Any
    inputs: Inputs
    batch_size: int
    runtime: Runtime = ON_CPU
    is_mixed: bool = False

    @classmethod
    def load(cls, file: Path | bytes, batch_size: int = 256, num_threads: int | None = None) -> "OnnxPredictor":
        """The predictor of an exported file, or of its content.

        Raises:
            UserError: onnxruntime is missing, or the file is not one of ours.
        """
        need_packages(f"a file *{SUFFIX}", "onnxruntime")
        import onnxruntime

        name = "the ONNX model" if isinstance(file, bytes) else str(file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or 0
        options.log_severity_level = 3  # errors alone
        try:
            content = file if isinstance(file, bytes) else file.read_bytes()
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise UserError(f"{name} cannot be read: {error.strerror}.") from error
        except Exception as error:  # onnxruntime has many, and whatever it is, the file cannot be used
            raise UserError(f"{name} cannot be read: it is not a whole ONNX file.") from error
        stored = session.get_modelmeta().custom_metadata_map
        classifier = Classifier.of(checked_content(_parsed(stored, name), name))
        return cls(classifier, session, classifier.build_inputs(), batch_size, is_mixed=stored.get(MIXED) == "true")

    @cached_property
    def min_pixels(self) -> int:
        """As of Predictor; 1 if the network cannot be built without memory for its weights."""
        network = self.classifier.build_on_meta()
        return 1 if network is None else min_pixels_of(network)

    def source(self, survey: Survey) -> BatchSource:
        """Batches of a survey, padded to the length of the run's own spectra."""
        return batch_source(survey, self.inputs, self.runtime.device, self.classifier.length)

    def logits(self, source: BatchSource, rows: Rows) -> Tensor:
        """Logits [n, K], float64, of the rows [n] of a source: logarithms of the probabilities that the file gives."""
        pieces = [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]
        found = [np.zeros((0, len(self.classifier.class_names))), *(self.run(source, piece)[0] for piece in pieces)]
        return torch.from_numpy(np.log(np.maximum(np.concatenate(found), LEAST)))

    def probabilities(self, survey: Survey, rows: Rows) -> Probabilities:
        """Class probabilities [n, K] of survey rows [n], at the class priors `classifier.output_prior`."""
        return softmax(self.logits(self.source(survey), rows))

    def decide(self, probabilities: Probabilities) -> Labels:
        """The class [n] that the run's decision rule gives to probabilities [n, K]."""
        return self.classifier.build_decision()(probabilities)

    def run(self, source: BatchSource, rows: Rows) -> tuple[Probabilities, Labels]:
        """Probabilities [n, K] and class indices [n] that the file gives to the rows [n] of a source, at once."""
        batch = source.gather(rows)
        mask = torch.zeros_like(batch.flux[:, 0], dtype=torch.bool) if batch.mask is None else batch.mask
        given: dict[str, Any] = {"flux": batch.flux.float().numpy(), "mask": mask.numpy()}
        if self.inputs.needs_ivar and batch.ivar is not None:
            given["ivar"] = batch.ivar.float().numpy()
        probabilities, classes = self.session.run(OUTPUTS, given)
        return np.asarray(probabilities, dtype=np.float64), classes


def _parsed(stored: Mapping[str, str], name: str) -> dict[str, Any]:
    """What the metadata says of the classifier."""
    if "export_format" not in stored:
        raise UserError(f"{name} is not a model that spectral.export has written: it says nothing of classes.")
    try:
        return {key: json.loads(value) for key, value in stored.items() if key not in FURTHER}
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} cannot be read: its metadata was changed.") from error
