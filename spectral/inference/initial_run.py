"""`init=FOLDER`: a run begins with the weights of another run. See docs/training.md."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor, nn

from spectral.configs.class_lists import class_of
from spectral.configs.fields import written
from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.data.packing.like_run import RunSpectra
from spectral.data.packing.open import data_like_run
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.other_split import doubt_of_split
from spectral.inference.wavelengths import difference_to_initial
from spectral.models.masked_pixels import BODY
from spectral.runs.folder import RunFolder
from spectral.runs.runs_below import runs_below
from spectral.runs.weights import load_weights as read_weights
from spectral.training.checkpoint import load_resumable
from spectral.training.initial_weights import body_misfit, body_of, has_rows_by_class, head_fits, load_weights

log = logging.getLogger(__name__)

OF_TRAINING = ("dropout", "dropout_kind")  # options that do not change what a trained network computes
SIZES = ("width", "widths", "num_blocks")  # if the weights fit, these are equal, even if written differently


def load_initial(
    init: str | None, init_wave: str, classifier: Classifier, network: nn.Module, folder: RunFolder, dataset: Dataset
) -> dict[str, Any]:
    """Load the weights that a run begins with into its fresh network. Nothing is written to the folder of `init`.

    If the run has a checkpoint, it resumes from that: the network is left as it is, and `init` is not read. A
    checkpoint of `folder` from which the run cannot resume is renamed, see `load_resumable`.

    Args:
        init: folder of the other run; None for fresh weights.
        init_wave: "any" if the other run may have been trained on other wavelengths, else "same".
        classifier: of the run that begins.
        folder: of the run that begins.
        dataset: of the run that begins.

    Returns:
        A record of the weights, for `RunFolder.note_initial` and result.json; empty without `init`.

    Raises:
        UserError: `init` is not a finished run with weights, or its network or its wavelengths differ.
    """
    if init is None:
        return {}
    if (noted := folder.load_initial()) and load_resumable(folder):
        return noted
    other, weights = _read(init)
    if misfit := body_misfit(network, weights):
        differences = _differences(other, classifier, with_inputs=False)
        found = "; ".join(f"{key}={was} there, {now} here" for key, was, now in differences) or "one weight differs"
        raise UserError(f"init={init} does not fit this network: {found} ({misfit}).")
    doubts = [_doubt(init, init_wave, other, classifier)]
    if not RunFolder(init).is_pretraining:  # which saw no labels
        doubts.append(doubt_of_split(f"init={init}", RunFolder(init), dataset))
    doubt = " ".join(filter(None, doubts))
    classes: list[int | None] = [_class_there(name, other) for name in classifier.class_names]
    are_same = classes == [*range(len(other.class_names))]
    if not are_same and not has_rows_by_class(weights):
        classes = [None for _ in classes]
    difference = _head_difference(init, other, classifier, classes, head_fits(network, weights))
    load_weights(network, weights, None if difference else classes)
    _log(init, other, classifier, difference, classes)
    kept = "kept" if are_same else "by class"
    record = {"folder": init, "weights": RunFolder(init).weights_digest(), "head": "new" if difference else kept}
    return {"init": record | ({"doubt": doubt} if doubt else {})}


def with_initial_grid(
    config: ExperimentConfig, resolved_config: dict[str, Any]
) -> tuple[ExperimentConfig, dict[str, Any]]:
    """Both forms of the config with the wavelengths of `init` as data.grid, if spectra have their own.

    Not if data.grid is given, or init_wave=any allows any wavelengths.

    Raises:
        UserError: `init` is not a finished run.
    """
    if config.init is None or config.init_wave == "any":
        return config, resolved_config
    run = RunSpectra(f"init={config.init}", _classifier(config.init).wave_angstrom)
    data = data_like_run(config.data, Path(config.cache_dir), run)
    if data is config.data:
        return config, resolved_config
    recorded = {**resolved_config["data"], "grid": dataclasses.asdict(data.grid)}
    return dataclasses.replace(config, data=data), {**resolved_config, "data": recorded}


def _doubt(init: str, init_wave: str, other: Classifier, own: Classifier) -> str:
    """Log and return what is to be said of wavelengths that may differ; empty if nothing is.

    Raises:
        UserError: they differ, and `init_wave` does not allow it.
    """
    sentence, are_others = difference_to_initial(other, own, f"init={init}")
    if are_others and init_wave == "same":
        raise UserError(
            f"{sentence}: resample the spectra by data.grid, or give init_wave=any to begin with these weights anyway."
        )
    if sentence:
        log.warning("%s.", sentence)
    return f"{sentence}." if sentence else ""


def _read(init: str) -> tuple[Classifier, dict[str, Tensor]]:
    """The classifier of the other run, and its weights: of a pretraining those of its body."""
    classifier, folder = _classifier(init), RunFolder(init)
    if folder.is_pretraining:
        return classifier, _pretrained_body(folder)
    return classifier, classifier.load_trained(folder).state_dict()


def _pretrained_body(folder: RunFolder) -> dict[str, Tensor]:
    try:
        weights = read_weights(folder.weights)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{folder.weights} cannot be read: it was changed or cut short.") from error
    return body_of({name.removeprefix(BODY): tensor for name, tensor in weights.items() if name.startswith(BODY)})


def _classifier(init: str) -> Classifier:
    folder = RunFolder(init)
    if not folder.config.is_file():
        others = runs_below(folder.path, "init")
        raise UserError(f"init={init} is not a run folder: it has no {folder.config.name}.{others}")
    folder.check_has_model("init")
    if folder.load_result() is None:
        raise UserError(f"init={init} is a run that has not ended: it has no {folder.result.name}, so resume it first.")
    if not folder.weights.is_file():
        raise UserError(f"init={init} has no weights to begin with: {folder.weights.name} is not there.")
    classifier = Classifier.load(folder, "init")
    if classifier.members:
        raise UserError(f"init={init} is an ensemble, and its networks are no weights to begin with: name a member.")
    return classifier


def _class_there(name: str, other: Classifier) -> int | None:
    """The index that a class has in the other run, whatever its capitals; None if it is new."""
    known = class_of(name, other.class_names)
    return None if known is None else other.class_names.index(known)


def _head_difference(
    init: str, other: Classifier, own: Classifier, classes: list[int | None], fits: bool
) -> str | None:
    """Why the head of the other run is not used; None if it is used.

    Args:
        classes: of each class here, its index there, or None if no row of weights is of it.
        fits: whether its weights have the same sizes.
    """
    if not other.class_names:
        return f"{init} is a pretraining, which knows no classes"
    if not any(there is not None for there in classes):
        return f"classes {', '.join(other.class_names)} of {init}, {', '.join(own.class_names)} here"
    kinds = [getattr(classifier.model, "head", None) for classifier in (other, own)]
    if kinds[0] != kinds[1]:
        return f"model.head={kinds[0]} of {init}, {kinds[1]} here"
    return None if fits else f"its weights in {init} have other sizes"


def _log(init: str, other: Classifier, own: Classifier, difference: str | None, classes: list[int | None]) -> None:
    log.info("The weights are those of %s.", init)
    new = [name for name, there in zip(own.class_names, classes, strict=True) if there is None]
    left_out = [name for k, name in enumerate(other.class_names) if k not in classes]
    if difference:
        log.info("The head is made again: %s.", difference)
    elif new or left_out:
        parts = [f"new are {', '.join(new)}"] * bool(new) + [f"left out are {', '.join(left_out)}"] * bool(left_out)
        log.info("The head is kept by the names of the classes: %s.", "; ".join(parts))
    for key, was, now in _differences(other, own, with_inputs=True):
        if key.removeprefix("model.") not in SIZES:
            log.warning("%s had %s=%s, here it is %s.", init, key, was, now)


def _differences(other: Classifier, own: Classifier, with_inputs: bool) -> list[tuple[str, Any, Any]]:
    """Keys that differ between two classifiers, with both values: of the body, and with `with_inputs` of the inputs."""
    there, here = _options(other, with_inputs), _options(own, with_inputs)
    keys = [key for key in dict.fromkeys([*here, *there]) if there.get(key) != here.get(key)]
    if other.model.name != own.model.name:  # then all options of the model differ too
        keys = ["model", *(key for key in keys if not key.startswith("model"))]
    return [(key, there.get(key), here.get(key)) for key in keys]


def _options(classifier: Classifier, with_inputs: bool) -> dict[str, Any]:
    inputs, options = classifier.inputs, _flat("model", classifier.model)
    options["num_channels"] = classifier.build_inputs().num_channels
    if with_inputs:
        options |= _flat("transform", inputs.transform) | {"inputs.masked_pixels": inputs.masked_pixels}
        options["data.baseline"] = inputs.baseline or "none"
        options["inputs.channels"] = "[" + ", ".join(map(_written, inputs.channels)) + "]"
    return options


def _written(channel: Any) -> str:
    """A channel as the command line has it: its name, or a mapping if it has options."""
    options = dataclasses.asdict(channel)
    return written(options) if len(options) > 1 else str(channel.name)


def _flat(group: str, config: Any) -> dict[str, Any]:
    """The options of a network or transform that change what it computes."""
    options = {}
    for name, value in dataclasses.asdict(config).items():
        if name not in OF_TRAINING and not name.startswith("head"):
            options[group if name == "name" else f"{group}.{name}"] = value
    return options
