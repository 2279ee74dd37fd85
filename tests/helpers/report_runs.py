"""Run folders and a packed survey made by hand, without training, with known content. K classes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from spectral.configs.inputs import channels, transforms
from spectral.configs.models import models
from spectral.configs.readers import ArraysConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.files import write_bytes, write_json, write_parquet
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.runs.folder import RunFolder
from spectral.scoring.decision import Decision
from spectral.scoring.scores import FinalScores
from spectral.survey import Survey
from sweeps.report.model import Report, ReportedTrial
from sweeps.results.run import Run

CLASSES = ("star", "galaxy", "qso")


def make_survey(
    folder: Path, num: int = 24, length: int = 200, classes: Sequence[str] = CLASSES, **arrays: Any
) -> Survey:
    """A pack of `num` spectra, classes in turn; flux is 100 + row. `arrays` replaces or adds; None leaves out.

    By default with wavelengths, errors of 2, S/N of 1 + row and redshifts of row / 10.
    """
    content: dict[str, Any] = {
        "flux": np.arange(num)[:, None] + np.full((num, length), 100, dtype=np.float32),
        "wave": np.linspace(3700.0, 9000.0, length),
        "ivar": np.full((num, length), 0.25, dtype=np.float32),
        "id": np.array([f"s{row:03d}" for row in range(num)]),
        "label": np.array([classes[row % len(classes)] for row in range(num)]),
        "snr": 1.0 + np.arange(num),
        "redshift": np.arange(num) / 10,
    } | arrays
    folder.mkdir(parents=True)
    np.savez(folder / "survey.npz", **{name: value for name, value in content.items() if value is not None})
    settings = ArraysConfig(num_workers=1, class_names=list(classes))
    pack(open_arrays(str(folder / "survey.npz")), settings, folder / "pack", progress=False)
    return Survey.open(folder / "pack")


def make_run(folder: Path, survey: Survey, predicted: Sequence[int], confidence: Sequence[float], **result: Any) -> Run:
    """A finished run whose test split is the whole survey.

    Args:
        predicted: class of each spectrum [n].
        confidence: its probability [n]; the other classes share the rest.
        result: further keys of result.json.
    """
    num_classes, labels = survey.num_classes, survey.labels
    probability = np.repeat(((1 - np.asarray(confidence)) / (num_classes - 1))[:, None], num_classes, axis=1)
    probability[np.arange(len(labels)), list(predicted)] = confidence
    scores = FinalScores(lambda: Decision(num_classes), survey.class_names, seed=0)
    scores.add_test(torch.tensor(probability).log(), labels, survey.catalog["id"].to_numpy())
    files = RunFolder(folder)
    folder.mkdir(parents=True)
    write_bytes(files.config, b"seed: 0\nmodel:\n  width: 8\n")
    write_bytes(files.metrics, b'{"epoch": 1, "val/macro_f1": 0.5}\n{"epoch": 2, "val/macro_f1": 0.625}\n')
    write_parquet(files.predictions, scores.predictions())
    described = {
        "fingerprint": survey.fingerprint,
        "folder": str(survey.folder),
        "class_names": list(survey.class_names),
    }
    write_json(
        files.result,
        {"objective": "val/macro_f1", "val/macro_f1": 0.625, **scores.metrics, "survey": described, **result},
    )
    return Run(folder)


def add_network(run: Run, survey: Survey, channel: str = "flux") -> None:
    """Weights and description of a small untrained network, which sees one kind of channel."""
    torch.manual_seed(0)
    model = models.typed({"name": "fcn", "widths": [4, 4, 4]})
    inputs = InputSpec(survey.num_channels, transforms.typed("standardize"), [channels.typed(channel)], "interpolate")
    classifier = Classifier(model, inputs, list(survey.class_names), survey.length, survey.wave_angstrom)
    classifier.save(RunFolder(run.path))
    save_file(classifier.build_network().state_dict(), RunFolder(run.path).weights)


def make_trial(number: int, score: float | None, **further: Any) -> ReportedTrial:
    """A complete trial that reported half its score, then all of it; `further` replaces its attributes."""
    given: dict[str, Any] = {
        "state": "complete",
        "values": None if score is None else (score,),
        "configuration": {},
        "overrides": [],
        "reason": "",
        "started": None,
        "ended": None,
        "steps": {} if score is None else {1: score / 2, 2: score},
        "attributes": {},
        "runs": (),
        "is_candidate": score is not None,
    }
    return ReportedTrial(number=number, **given | further)


def make_report(folder: Path, trials: Sequence[ReportedTrial], **further: Any) -> Report:
    """A report on trials of one objective, val/macro_f1."""
    scored = [trial for trial in trials if trial.is_candidate and trial.values]
    best_first = [trial.number for trial in sorted(scored, key=lambda trial: -(trial.values or (0.0,))[0])]
    return Report("study", folder, ["val/macro_f1"], ["maximize"], list(trials), best_first, **further)


def decoded(code: dict[str, Any], num_bytes: int = 2) -> NDArray[np.float64]:
    """The values of a code as spectra.js reads them."""
    import base64

    codes = np.frombuffer(base64.b64decode(code["codes"]), f"<u{num_bytes}").astype(np.float64)
    return np.where(codes == 2 ** (8 * num_bytes) - 1, np.nan, code["low"] + code["step"] * codes)


def read_data(page: str) -> dict[str, Any]:
    """The data of a page's scripts."""
    start = page.index('<script type="application/json" id="data">') + len('<script type="application/json" id="data">')
    loaded: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    return loaded
