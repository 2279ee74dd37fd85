"""A run as one ONNX file: made by torch, checked against torch by onnxruntime, and only then written.

B batch, S survey channels, L length, K classes.
"""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from spectral import __version__
from spectral.configs.baseline import baseline_in_words
from spectral.errors import UserError
from spectral.exporting.graph import Graph
from spectral.files import write_bytes
from spectral.inference.classifier import Classifier
from spectral.inference.onnx_predictor import OUTPUTS, OnnxPredictor, need_packages
from spectral.inference.predictor import Predictor
from spectral.runs.folder import RunFolder
from spectral.runs.mixtures import MIXED
from spectral.runtime import choose_runtime
from spectral.survey import Survey

log = logging.getLogger(__name__)

EXPORT_FORMAT = 1  # of the metadata and of the names of inputs and outputs
LARGEST_DIFFERENCE = 1e-4  # of a probability, between onnxruntime and torch
NUM_CHECKED = 24  # spectra, with and without a mask; not the size of the batch that the graph is traced with
QUIET = ("onnxscript", "onnx_ir", "torch.onnx")  # loggers that report each step


def write_onnx(folder: RunFolder, out: Path, is_mixed: bool = False) -> str:
    """Write a finished run as ONNX.

    Args:
        is_mixed: as of `metadata`.

    Returns:
        What the check found, in words.

    Raises:
        UserError: a package is missing, the run has not ended, or the file would not give torch's probabilities.
    """
    need_packages("format=onnx", "onnx", "onnxscript", "onnxruntime")
    classifier = Classifier.load(folder)
    classifier.build_decision()  # a run that has not ended has none
    runtime = choose_runtime("cpu", "float32", "contiguous", kernel="torch")
    predictor = Predictor.load(folder, classifier, runtime, NUM_CHECKED)
    result = folder.load_result()
    fingerprint = result["survey"]["fingerprint"] if result else ""
    content = exported(predictor, fingerprint, is_mixed)
    difference = largest_difference(predictor, OnnxPredictor.load(content, NUM_CHECKED))
    if not difference <= LARGEST_DIFFERENCE:
        raise UserError(
            f"The ONNX model differs from PyTorch by {difference:.2g} in a probability, of which at most "
            f"{LARGEST_DIFFERENCE:g} is allowed: {out} is not written."
        )
    write_bytes(out, content)
    if baseline := classifier.inputs.baseline:
        log.warning(
            "The file takes spectra without their baseline (%s), whose removal no graph can hold: spectral.predict and "
            "load_run remove it before, onnxruntime alone does not.",
            baseline_in_words(baseline),
        )
    return (
        f"onnxruntime gives PyTorch's probabilities to {difference:.1g} (checked on {2 * NUM_CHECKED} random spectra)"
    )


def exported(predictor: Predictor, fingerprint: str = "", is_mixed: bool = False) -> bytes:
    """The ONNX file's content: inputs, network and decision rule, for batches of any size."""
    classifier = predictor.classifier
    graph = Graph(predictor.inputs, predictor.network, classifier.build_decision()).eval()
    spectra = random_spectra(classifier, num=2, seed=0, masked=True, has_ivar=predictor.inputs.needs_ivar)
    given = [spectra.flux, spectra.mask, *([spectra.ivar] if predictor.inputs.needs_ivar else [])]
    batch = torch.export.Dim("batch")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about their own future
        program = torch.onnx.export(
            graph,
            tuple(map(torch.from_numpy, given)),
            input_names=["flux", "mask", "ivar"][: len(given)],
            output_names=OUTPUTS,
            dynamic_shapes=tuple({0: batch} for _ in given),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # None is of the exporter without dynamo
    proto = program.model_proto
    for key, value in metadata(classifier, fingerprint, is_mixed).items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString())


def metadata(classifier: Classifier, fingerprint: str, is_mixed: bool) -> dict[str, str]:
    """What model.json holds, each key with its value as JSON, and where the model comes from.

    Args:
        is_mixed: whether the run was trained on mixtures of classes, after which its probabilities are too small.
    """
    content = {key: json.dumps(value) for key, value in classifier.content().items()}
    about = {"export_format": str(EXPORT_FORMAT), "fingerprint": fingerprint, "version": __version__}
    return {**content, **about, MIXED: json.dumps(is_mixed)}


def largest_difference(predictor: Predictor, other: OnnxPredictor) -> float:
    """Of a probability, for random spectra with bad pixels and without a mask.

    Raises:
        UserError: the file's class is not what the decision rule makes of the file's probabilities.
    """
    largest = 0.0
    for masked in (False, True):
        survey = random_spectra(predictor.classifier, NUM_CHECKED, 1, masked, predictor.inputs.needs_ivar)
        rows = np.arange(len(survey))
        expected, (found, classes) = predictor.probabilities(survey, rows), other.run(other.source(survey), rows)
        largest = max(largest, float(np.abs(expected - found).max()))
        if (classes != predictor.decide(found)).any():
            raise UserError("The ONNX model decides on other classes than the run's decision rule: it is not written.")
    return largest


def random_spectra(classifier: Classifier, num: int, seed: int, masked: bool, has_ivar: bool) -> Survey:
    """Noise around a slope, with a few lines. Masked are both ends and single pixels, all of which are NaN."""
    rng = np.random.default_rng(seed)
    shape = (num, classifier.inputs.num_channels, classifier.length)
    slope = rng.normal(size=(*shape[:2], 1)) * np.linspace(-1, 1, shape[2])
    flux = (10 + slope + rng.normal(size=shape) + 8 * (rng.random(shape) < 0.02)).astype(np.float32)
    mask: Any = None
    if masked:
        mask = rng.random((num, shape[2])) < 0.1
        for row, end in enumerate(rng.integers(0, shape[2] // 4 + 1, size=num)):
            mask[row, :end], mask[row, shape[2] - end // 2 :] = True, True
        mask[:, shape[2] // 2] = False
        flux[np.broadcast_to(mask[:, None], shape)] = np.nan
    ivar = rng.uniform(0.1, 2, shape).astype(np.float32) if has_ivar else None
    return Survey(flux, pd.DataFrame(index=range(num)), tuple(classifier.class_names), ivar, mask)
