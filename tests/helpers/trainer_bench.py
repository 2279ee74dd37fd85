"""A hand-made trainer around a linear network, whose optimizers record their steps."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import nn

from spectral.configs.lr_schedule import lr_schedules
from spectral.inputs.batches import BatchSource
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Unchanged
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime
from spectral.training.progress import Progress
from spectral.training.sampler import NaturalSampler
from spectral.training.stage import Stage, TrainingSettings
from spectral.training.trainer import Trainer

NUM, LENGTH, NUM_CLASSES, BATCH = 24, 5, 3, 8


class Linear(nn.Module):
    """Logits [B, K] of flux [B, 1, L]."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(LENGTH, NUM_CLASSES)
        nn.init.zeros_(self.layer.bias)
        nn.init.constant_(self.layer.weight, 0.1)

    def forward(self, flux: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        logits: torch.Tensor = self.layer(flux[:, 0])
        return logits


class CountingOptimizer(torch.optim.SGD):
    """SGD that records the gradient norm of each step, and the weights after it."""

    def __init__(self, network: nn.Module, lr: float, momentum: float = 0.0) -> None:
        super().__init__(network.parameters(), lr=lr, momentum=momentum)
        self.network = network
        self.norms: list[float] = []
        self.weights: list[torch.Tensor] = []

    def step(self, closure: Any = None) -> Any:
        gradients = torch.cat([p.grad.flatten() for p in self.network.parameters() if p.grad is not None])
        self.norms.append(float(gradients.norm()))
        out = super().step(closure)
        self.weights.append(self.network.layer.weight.detach().clone())  # type: ignore[union-attr, operator]  # any module
        return out


class Bench:
    """A trainer around a linear network, with the optimizers that its stages made."""

    def __init__(
        self,
        folder: Path,
        *stage_options: dict[str, Any],
        scores: list[float] | None = None,
        objective: str = "val/macro_f1",
        **settings: Any,
    ) -> None:
        self.optimizers: list[CountingOptimizer] = []
        self.network = Linear()
        self.scores = iter(scores or [])
        flux = np.random.default_rng(0).normal(size=(NUM, 1, LENGTH)).astype(np.float32)
        labels = np.arange(NUM) % NUM_CLASSES
        path = folder / "run"
        path.mkdir(exist_ok=True)
        self.trainer = Trainer(
            network=self.network,
            runtime=Runtime(torch.device("cpu"), "float32", channels_last=False, compile=False, num_threads=1),
            inputs=Inputs(1, Unchanged(), [Flux()]),
            source=BatchSource(flux, None, torch.device("cpu")),
            rows=np.arange(NUM),
            targets=torch.from_numpy(labels),
            sampler=NaturalSampler(labels, NUM_CLASSES, BATCH, seed=0),
            stages=[self.stage(f"stage{i}", **options) for i, options in enumerate(stage_options)],
            settings=TrainingSettings(
                **{
                    "seed": 0,
                    "objective": objective,
                    "maximize": objective != "train/loss",
                    "clip_norm": None,
                    "ema_decay": None,
                    "patience_epochs": None,
                    **settings,
                }
            ),
            validate=lambda _network, _loss: {"val/macro_f1": next(self.scores)} if scores is not None else {},
            folder=RunFolder(path),
            progress=Progress(Console(quiet=True), objective),
        )

    def stage(
        self,
        name: str,
        epochs: int,
        lr: float = 0.1,
        start: str = "last",
        momentum: float = 0.0,
        scale: float = 1.0,
        changes_loss: bool = False,
        lr_schedule: Any = "constant",
    ) -> Stage:
        class Loss(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.register_buffer("output_prior", torch.full((NUM_CLASSES,), 1 / NUM_CLASSES))

            def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                return scale * nn.functional.cross_entropy(logits, target)

        def make_optimizer(network: nn.Module) -> torch.optim.Optimizer:
            self.optimizers.append(CountingOptimizer(network, lr, momentum))
            return self.optimizers[-1]

        def make_lr_schedule(optimizer: torch.optim.Optimizer, num_steps: int) -> Any:
            config = lr_schedules.typed(lr_schedule)
            return lr_schedules.build(config, optimizer=optimizer, num_steps=num_steps, num_epochs=epochs)

        made = lambda _epoch: Loss(), make_optimizer, make_lr_schedule
        return Stage(name, epochs, 2, start, *made, changes_loss=changes_loss)

    def fit(self) -> list[dict[str, Any]]:
        self.trainer.fit(lambda _epoch, _row: None)
        return self.trainer.folder.read_metrics()

    @property
    def best(self) -> torch.Tensor:
        return load_file(self.trainer.folder.weights)["layer.weight"]
