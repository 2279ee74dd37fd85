"""A trained classifier as its run folder holds it: model.json and best.safetensors, no pickle and no Hydra."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from spectral.configs.inputs import transforms
from spectral.configs.models import models
from spectral.configs.root import ExperimentConfig
from spectral.errors import UserError
from spectral.files import write_json
from spectral.runs.folder import RunFolder
from spectral.scoring.decision import Decision
from spectral.survey import Survey


@dataclass
class Classifier:
    """A network with all that is needed to apply it. K classes, C channels, L length."""

    model: Any  # typed config
    transform: Any  # typed config
    decision_state: dict[str, Any]  # of the fitted rule; empty until the run ends
    class_names: list[str]
    num_channels: int
    length: int
    wave_angstrom: NDArray[np.float64] | None  # [L]

    @classmethod
    def describing(cls, config: ExperimentConfig, survey: Survey) -> "Classifier":
        """The classifier that an experiment on a survey will train."""
        return cls(
            model=config.model,
            transform=config.transform,
            decision_state={},
            class_names=list(survey.class_names),
            num_channels=survey.num_channels,
            length=survey.length,
            wave_angstrom=survey.wave_angstrom,
        )

    def build_network(self) -> nn.Module:
        """A network with fresh weights."""
        sizes = {"num_channels": self.num_channels, "num_classes": len(self.class_names), "length": self.length}
        network: nn.Module = models.build(self.model, **sizes)
        return network

    def load_network(self, folder: RunFolder) -> nn.Module:
        """The network with the best weights of the run.

        Raises:
            UserError: the run has no weights yet, or they are not this network's.
        """
        network = self.build_network()
        try:
            network.load_state_dict(load_file(folder.weights))
        except FileNotFoundError as error:
            raise UserError(
                f"run={folder.path} has no {folder.weights.name}: its first epoch has not ended."
            ) from error
        except RuntimeError as error:
            raise UserError(f"{folder.weights} does not fit {folder.model}: one of the two was changed.") from error
        except SafetensorError as error:
            raise UserError(f"{folder.weights} cannot be read: it was changed or cut short.") from error
        return network

    def build_transform(self) -> Any:
        return transforms.build(self.transform)

    def build_decision(self) -> Decision:
        """The decision rule as it was fitted.

        Raises:
            UserError: the run has not ended.
        """
        if not self.decision_state:
            raise UserError("the run has not ended and its decision rule is not known yet: go on with it first.")
        return Decision.from_state(self.decision_state)

    def save(self, folder: RunFolder) -> None:
        content = {name: _plain(value) for name, value in vars(self).items()}
        write_json(folder.model, content)

    @classmethod
    def load(cls, folder: RunFolder) -> "Classifier":
        """Raises UserError where the run has no readable model.json."""
        try:
            content = json.loads(folder.model.read_text())
        except FileNotFoundError as error:
            raise UserError(f"run={folder.path} has no {folder.model.name}: its training has not begun.") from error
        except ValueError as error:
            raise UserError(f"{folder.model} is not valid JSON: {error}.") from error
        keys = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(content, dict) or sorted(content) != sorted(keys):
            raise UserError(f"{folder.model} does not describe a classifier: its keys are {', '.join(keys)}.")
        wave = content.pop("wave_angstrom")
        return cls(
            model=models.typed(content.pop("model")),
            transform=transforms.typed(content.pop("transform")),
            wave_angstrom=None if wave is None else np.array(wave),
            **content,
        )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.tolist() if isinstance(value, np.ndarray) else value
