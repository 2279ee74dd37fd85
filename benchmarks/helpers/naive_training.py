"""The arm `joblib` of time_to_score.py: plain PyTorch under hydra-optuna-sweeper and hydra-joblib-launcher.

It is what a user writes who has a network and wants a search: nn.Conv1d, a DataLoader, float32, torch's own settings.
Architecture, initial weights, optimizer, learning-rate schedule, split and score are those of the product.

    python naive_training.py -m hydra/sweeper=optuna hydra/launcher=joblib job=JOB 'lr=interval(1e-4,1e-2)' ...
"""

import functools
import json
import runpy
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from naive_network import NaiveReference, glorot_
from omegaconf import DictConfig
from score_space import OBJECTIVE, Job, fractions
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

METRICS = Path(__file__).resolve().parents[2] / "spectral" / "scoring" / "metrics.py"
# By its file, which needs NumPy alone: with the repository on the path Hydra would load the product's plugins.
classification_metrics = runpy.run_path(str(METRICS))["classification_metrics"]
EVALUATE_BATCH_SIZE = 512
DEFAULTS = {"job": "???", "width": 8, "dilations": [1, 2, 4], "lr": 1e-3, "dropout": 0.5}
ConfigStore.instance().store("naive", DEFAULTS)


@functools.cache
def load(path: Path) -> tuple[Job, TensorDataset, TensorDataset]:
    """The training and the validation split in memory, each spectrum standardized; kept for the next trial."""
    job = Job.read(path)
    with np.load(job.rows) as rows:
        labels = torch.from_numpy(rows["labels"])
        splits = [torch.from_numpy(rows[name]) for name in ("train", "validation")]
    flux = standardized(np.load(job.flux), np.load(job.mask) if job.mask else None)
    train, validation = (TensorDataset(flux[chosen], labels[chosen]) for chosen in splits)
    return job, train, validation


def standardized(flux: np.ndarray, bad: np.ndarray | None) -> Tensor:
    """(flux - mean) / standard deviation over the good pixels of each spectrum, 0 at the others: [N, 1, L]."""
    x = torch.from_numpy(flux).float()
    good = torch.ones(x.shape[0], 1, x.shape[2]) if bad is None else torch.from_numpy(~bad).float().unsqueeze(1)
    x = torch.where(good > 0, x, 0.0)
    num_good = good.sum(dim=2, keepdim=True).clamp(min=1)
    x = (x - x.sum(dim=2, keepdim=True) / num_good) * good
    return x / (x.square().sum(dim=2, keepdim=True) / num_good).sqrt().clamp(min=1e-12)


def batches(job: Job, data: TensorDataset, shares: list[float]) -> DataLoader[Any]:
    """The batches of an epoch, in which the classes have these shares on average."""
    labels = data.tensors[1]
    counts = torch.bincount(labels, minlength=len(shares)).clamp(min=1)
    weights = (torch.tensor(shares) / counts)[labels]
    sampler = WeightedRandomSampler(weights.tolist(), job.num_steps * job.batch_size)
    return DataLoader(data, batch_size=job.batch_size, sampler=sampler)


@torch.no_grad()
def validate(network: nn.Module, data: TensorDataset, class_names: tuple[str, ...]) -> float:
    """Macro-F1, by the product's own code."""
    network.eval()
    logits = torch.cat([network(x) for x, _ in DataLoader(data, batch_size=EVALUATE_BATCH_SIZE)])
    labels, probabilities = data.tensors[1].numpy(), logits.softmax(dim=1).numpy()
    score: float = classification_metrics(labels, probabilities.argmax(axis=1), probabilities, class_names)["macro_f1"]
    return float(score)


def step(network: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, target: Tensor) -> None:
    optimizer.zero_grad()
    F.cross_entropy(network(x), target).backward()
    optimizer.step()


def train(config: DictConfig, folder: Path) -> float:
    """Train all epochs of a configuration; returns the best score, whose weights are kept in the folder."""
    torch.set_num_threads(1)
    job, data, validation = load(Path(config.job))
    torch.manual_seed(job.seed)
    num_classes = len(job.class_names)
    network = NaiveReference(num_classes, config.width, list(config.dilations), config.dropout, job.max_length)
    glorot_(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, job.num_epochs * job.num_steps)
    loader = batches(job, data, fractions(config, num_classes))
    best = -1.0
    for epoch in range(1, job.num_epochs + 1):
        network.train()
        for x, target in loader:
            step(network, optimizer, x, target)
            schedule.step()
        score = validate(network, validation, job.class_names)
        if score > best:
            best = score
            torch.save(network.state_dict(), folder / "best.pt")
        with (folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"epoch": epoch, OBJECTIVE: score}) + "\n")
    return best


@hydra.main(version_base="1.3", config_path=None, config_name="naive")
def main(config: DictConfig) -> float:
    import naive_training  # by name, so that a process of joblib keeps the data in memory for its next trial

    return naive_training.train(config, Path(HydraConfig.get().runtime.output_dir))


if __name__ == "__main__":
    main()
