"""A trained classifier as its run folder holds it: model.json and best.safetensors, no pickle and no Hydra.

What model.json holds, and how earlier and later versions are read, is in docs/run-folder.md.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import nn

from spectral.configs.models import models, runs_natively
from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.data.packing.like_run import RunSpectra
from spectral.errors import UserError
from spectral.files import write_json
from spectral.inference.input_spec import InputSpec
from spectral.inference.members import EnsembleModel, Member
from spectral.inference.model_json import FORMAT, MOST_SHIFTS, OF_ENSEMBLE, OF_ONE_NETWORK, read_model_json
from spectral.inputs.augmentations import Augmentation
from spectral.inputs.inputs import Inputs
from spectral.inputs.joined import JoinedInputs
from spectral.models.ensemble import Ensemble
from spectral.models.shift_average import ShiftAverage
from spectral.runs.folder import RunFolder
from spectral.runs.weights import load_weights
from spectral.runtime import Runtime, choose_runtime
from spectral.scoring.decision import Decision

NO_RULE = "decision_state of the run's model.json is not that of a decision rule: it was changed."
MOST_PARTS_WITHOUT_WEIGHTS = 100  # a list of options may be longer than the network has weights, but not by far


@dataclass
class Classifier:
    """A network with all that is needed to apply it; of a pretraining, to begin with it. K classes, L length.

    Args:
        model: typed config of the network.
        class_priors: [K], shares of the classes in the training split; None if an earlier version did not keep them.
        output_prior: [K], the class priors at which the network's probabilities stand, see spectral/losses/contract.py;
            None until the run ends.
        decision_state: of the fitted rule; empty until the run ends.
        wave_angstrom: [L], or None for data without wavelengths.
        evaluate_shifts: pixels by which a spectrum is shifted; the probabilities are averaged. Empty: as it is alone.
        members: of an ensemble, whose probabilities are averaged at `output_prior`; empty for a single network.
        further_inputs: of an ensemble whose members do not all have the first inputs.
    """

    model: Any
    inputs: InputSpec
    class_names: list[str]
    length: int
    wave_angstrom: NDArray[np.float64] | None = None
    class_priors: list[float] | None = None
    output_prior: list[float] | None = None
    decision_state: dict[str, Any] = field(default_factory=dict)
    evaluate_shifts: list[int] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    further_inputs: list[InputSpec] = field(default_factory=list)

    @classmethod
    def describing(cls, config: ExperimentConfig, dataset: Dataset) -> "Classifier":
        """The classifier that an experiment on a dataset will train.

        Raises:
            UserError: evaluate_shifts would shift a spectrum out of the survey's pixels.
        """
        survey = dataset.survey
        described = cls(
            model=config.model,
            inputs=InputSpec.describing(config, dataset),
            class_names=list(survey.class_names),
            length=survey.length,
            wave_angstrom=survey.wave_angstrom,
            class_priors=dataset.class_priors.tolist(),
        )
        return described.shifted(config.evaluate_shifts)

    def shifted(self, shifts: Sequence[int] | None) -> "Classifier":
        """The same, averaged over other shifts; None leaves its own.

        Raises:
            UserError: a spectrum would be shifted out of its pixels, or too often.
        """
        if shifts is None:
            return self
        if len(shifts) > MOST_SHIFTS:
            raise UserError(f"evaluate_shifts has {len(shifts):,} numbers: at most {MOST_SHIFTS:,} are allowed.")
        if out := [by for by in shifts if abs(by) >= self.length]:
            raise UserError(
                f"evaluate_shifts has {out[0]}, and the spectra have {self.length} pixels: give smaller numbers."
            )
        return dataclasses.replace(self, evaluate_shifts=list(shifts))

    def spectra(self, run: str) -> RunSpectra:
        """What the run's spectra were made like; `run` is its name in sentences."""
        return RunSpectra(run, self.wave_angstrom, self.inputs.baseline, self.inputs.ivar_masks, self.length)

    def build_inputs(self, augmentations: Sequence[Augmentation] = ()) -> Inputs:
        """What makes the network's channels; the augmentations act in training only.

        The channels of an ensemble are those of all its inputs, one after another.
        """
        parts = [inputs.build(augmentations) for inputs in (self.inputs, *self.further_inputs)]
        return JoinedInputs(parts) if len(parts) > 1 else parts[0]

    def choose_runtime(
        self, device: str = "auto", precision: str = "auto", num_threads: int | None = None, kernel: str = "auto"
    ) -> Runtime:
        """How this process runs the network: see `spectral.runtime.choose_runtime`.

        Raises:
            UserError: a device or a kernel is not there.
        """
        has_native = any(runs_natively(model) for model in self._networks)
        return choose_runtime(device, precision, num_threads=num_threads, kernel=kernel, has_native=has_native)

    @property
    def _networks(self) -> list[Any]:
        """The typed config of each network."""
        return [member.model for member in self.members] or [self.model]

    def build_network(self) -> nn.Module:
        """A network with fresh weights."""
        parts = self.build_inputs().parts
        if not self.members:
            return self._build(self.model, parts[0].num_channels)
        ends = np.cumsum([part.num_channels for part in parts]).tolist()
        starts = [0, *ends]
        return Ensemble(
            [self._build(member.model, parts[member.inputs].num_channels) for member in self.members],
            channels=[(starts[member.inputs], ends[member.inputs]) for member in self.members],
            weights=[member.weight for member in self.members],
            log_prior_ratios=[member.log_prior_ratio(self.output_prior or []) for member in self.members],
        )

    def build_on_meta(self) -> nn.Module | None:
        """The network without memory for its weights; None if it reads numbers off tensors while it is built."""
        try:
            with torch.device("meta"):
                return self.build_network()
        except (RuntimeError, TypeError) as error:  # torch has no class of its own for this error
            if "meta" not in str(error):
                raise
            return None

    def _build(self, model: Any, num_channels: int) -> nn.Module:
        sizes = {"num_channels": num_channels, "num_classes": len(self.class_names), "length": self.length}
        network: nn.Module = models.build(model, **sizes)
        return network

    def load_network(self, folder: RunFolder) -> nn.Module:
        """What the run is applied by: `load_trained`, averaged over the shifts if there are any."""
        network, shifts = self.load_trained(folder), self.evaluate_shifts
        if not shifts:
            return network
        if isinstance(network, Ensemble):  # each member's mean is brought to the common prior, as its predictions were
            network.members = nn.ModuleList(ShiftAverage(member, shifts) for member in network.members)
            return network
        return ShiftAverage(network, shifts)

    def load_trained(self, folder: RunFolder) -> nn.Module:
        """The network with the weights that the run keeps.

        Raises:
            UserError: the run has no weights yet, or they are not this network's.
        """
        try:
            self._check_sizes(folder)
            network = self.build_network()
            network.load_state_dict(load_weights(folder.weights))
        except FileNotFoundError as error:
            raise UserError(
                f"run={folder.path} has no {folder.weights.name}: its first epoch has not ended."
            ) from error
        except RuntimeError as error:
            raise UserError(
                f"{folder.weights} does not fit {folder.model}: one of the two was changed, or the class of the "
                "network has changed since."
            ) from error
        except (OSError, SafetensorError) as error:
            raise UserError(f"{folder.weights} cannot be read: it was changed or cut short.") from error
        return network

    def _check_sizes(self, folder: RunFolder) -> None:
        """Compare the network with the shapes of the stored weights before any of its own are allocated.

        Raises:
            RuntimeError: they differ, or the network cannot be built.
        """
        with safe_open(folder.weights, framework="pt") as weights:
            stored = {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118  (an open file, not a dict)
        networks = self._networks
        parts = [getattr(model, name, 0) for model in networks for name in ("num_blocks", "depth")]
        parts += [len(value) for model in networks for value in vars(model).values() if isinstance(value, list)]
        if max(parts) > len(stored) + MOST_PARTS_WITHOUT_WEIGHTS:
            raise RuntimeError("the network has more parts than weights")
        network = self.build_on_meta()
        if network is not None and {name: tuple(value.shape) for name, value in network.state_dict().items()} != stored:
            raise RuntimeError("the network has other shapes")

    def build_decision(self) -> Decision:
        """The decision rule as it was fitted.

        Raises:
            UserError: the run has not ended.
        """
        if not self.decision_state:
            raise UserError("the run has not ended and its decision rule is not known yet: resume it first.")
        size = (len(self.class_names),)
        try:
            rule = Decision.from_state(self.decision_state)
            rule(np.full((1, *size), 1 / len(self.class_names)))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UserError(NO_RULE) from error
        if rule.slope.shape != size or rule.offset.shape != size:
            raise UserError(NO_RULE)
        return rule

    def save(self, folder: RunFolder) -> None:
        """Write the run's model.json."""
        write_json(folder.model, self.content())

    def content(self) -> dict[str, Any]:
        """What model.json holds, as JSON values."""
        wave = None if self.wave_angstrom is None else self.wave_angstrom.tolist()
        content = dataclasses.asdict(dataclasses.replace(self, wave_angstrom=None))
        if not self.members:
            del content["members"], content["further_inputs"]
        number = OF_ENSEMBLE if self.members else OF_ONE_NETWORK
        if self.evaluate_shifts:
            number = FORMAT
        else:
            del content["evaluate_shifts"]
        return {"format": number, **content, "wave_angstrom": wave}

    @classmethod
    def load(cls, folder: RunFolder, key: str = "run") -> "Classifier":
        """The classifier of a run, of this version of Spectral or an earlier one.

        Args:
            key: as of `read_model_json`.

        Raises:
            UserError: there is no model.json, or this version cannot read it.
        """
        return cls.of(read_model_json(folder, key))

    @classmethod
    def of(cls, content: dict[str, Any]) -> "Classifier":
        """The classifier of checked content, see model_json.py.

        Raises:
            UserError: it has a part that this version does not have.
        """
        wave, model = content.pop("wave_angstrom", None), content.pop("model")
        members = [Member.read(member, f"members.{i}") for i, member in enumerate(content.pop("members", []))]
        return cls(
            model=EnsembleModel() if members else models.stored(model, "model"),
            inputs=InputSpec.read(content.pop("inputs")),
            wave_angstrom=None if wave is None else np.array(wave),
            members=members,
            further_inputs=[InputSpec.read(inputs) for inputs in content.pop("further_inputs", [])],
            **content,
        )
