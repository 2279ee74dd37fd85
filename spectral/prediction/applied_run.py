"""What a command applies: the folder of a run, or the ONNX file that one was exported to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from spectral.configs.commands import PredictConfig
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.onnx_predictor import SUFFIX, OnnxPredictor, check_device, check_precision
from spectral.inference.predictor import Predictor
from spectral.prediction.validation import Validation
from spectral.runs.folder import RunFolder
from spectral.runs.mixtures import trained_on_mixtures
from spectral.runtime import Runtime
from spectral.scoring.decision import Decision


@dataclass
class AppliedRun:
    """A run that has ended.

    Args:
        path: the folder, or the file.
        rule: as it was fitted.
        validation: what the run left of its validation spectra; None if it left nothing, as an ONNX file does, or it is
            that of other shifts.
        network: None for an ONNX file.
        other_shifts: those that the command gives in place of the run's own; None: it gives none, or the same.
        is_mixed: whether it, or a member, was trained on mixtures of classes: its probabilities are then too small.
    """

    path: Path
    classifier: Classifier
    rule: Decision
    validation: Validation | None
    network: nn.Module | None
    other_shifts: list[int] | None = None
    is_mixed: bool = False

    @classmethod
    def open(cls, path: Path, shifts: Sequence[int] | None = None) -> "AppliedRun":
        """The run in a folder, or in a file.

        Args:
            shifts: of its spectra in place of its own, see `Classifier`.

        Raises:
            UserError: there is no run, it has not ended, it cannot be read, or an ONNX file is to have other shifts.
        """
        if path.suffix == SUFFIX:
            if shifts is not None:
                raise UserError(f"evaluate_shifts is not allowed with run={path}: an ONNX file keeps those of its run.")
            loaded = OnnxPredictor.load(path)
            rule = loaded.classifier.build_decision()
            return cls(path, loaded.classifier, rule, None, None, is_mixed=loaded.is_mixed)
        folder = RunFolder.existing(path)
        own = Classifier.load(folder)
        classifier = own.shifted(shifts)
        rule, network = classifier.build_decision(), classifier.load_network(folder)
        others = None if classifier.evaluate_shifts == own.evaluate_shifts else classifier.evaluate_shifts
        validation = Validation.of(folder, classifier.class_names) if others is None else None
        return cls(path, classifier, rule, validation, network, others, trained_on_mixtures(folder))

    @property
    def name(self) -> str:
        """The run, as sentences name it."""
        return f"run={self.path}"

    @property
    def class_names(self) -> list[str]:
        return self.classifier.class_names

    def seed(self) -> int:
        return RunFolder(self.path).load_seed()

    def digest(self) -> str:
        """Of the files that the classifier is built of."""
        folder = RunFolder(self.path)
        digest = hashlib.blake2b(digest_size=16)
        for path in [self.path] if self.network is None else [folder.model, folder.weights]:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        return digest.hexdigest()

    def runtime(self, command: PredictConfig) -> Runtime:
        """How torch is run; of an ONNX file, which onnxruntime runs in float32, the number of threads alone counts."""
        is_onnx = self.network is None
        precision, kernel = ("float32", "torch") if is_onnx else (command.precision, command.kernel)
        return self.classifier.choose_runtime(command.device, precision, command.num_threads, kernel)

    def described(self, runtime: Runtime) -> str:
        """What computes, and how, for the log."""
        if self.network is None:
            return f"{runtime.device} by onnxruntime in float32, {runtime.num_threads} CPU threads"
        return str(runtime)

    def predictor(self, command: PredictConfig, runtime: Runtime) -> Predictor | OnnxPredictor:
        """What gives its probabilities; onnxruntime computes on the CPU, with the threads of the runtime."""
        if self.network is None:
            return OnnxPredictor.load(self.path, command.evaluate_batch_size, runtime.num_threads)
        inputs = self.classifier.build_inputs()
        return Predictor(self.classifier, runtime.prepare(self.network), inputs, runtime, command.evaluate_batch_size)

    def check_precision(self, precision: str) -> None:
        """Raise UserError for a precision that an ONNX file is not computed in."""
        if self.network is None:
            check_precision(precision, self.name)

    def check_device(self, device: str) -> str:
        """The device to choose. Raises UserError for a device that an ONNX file is not applied on."""
        if self.network is not None:
            return device
        check_device(device, self.name)
        return "cpu"
