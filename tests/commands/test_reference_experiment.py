"""experiment=reference against the published description (REFERENCE: Su Jianlin 2018, kexue.fm/archives/5505)."""

import math

import numpy as np
import pytest
import seeds
import torch
from small_runs import composed

from spectral.configs.inputs import transforms
from spectral.configs.losses import losses
from spectral.configs.lr_schedule import lr_schedules
from spectral.configs.models import models
from spectral.configs.optimizer import optimizers
from spectral.configs.root import ExperimentConfig, typed
from spectral.configs.sampler import samplers
from spectral.configs.split import splits
from spectral.training.class_pools import class_priors


@pytest.fixture(scope="module")
def reference() -> ExperimentConfig:
    return typed(composed(["experiment=reference", "run_dir=unused"]))


def test_network(reference: ExperimentConfig) -> None:
    network = models.build(reference.model, num_channels=1, num_classes=4, length=2600)
    assert sum(p.numel() for p in network.parameters()) == 748_324
    assert reference.model.dropout == 0.5
    assert reference.model.dropout_kind == "timestep"
    assert reference.model.head == "max"


def test_batches_of_160_hold_128_16_8_8_spectra(reference: ExperimentConfig) -> None:
    labels = np.repeat([0, 1, 2, 3], [900, 70, 20, 10])
    sampler = samplers.build(
        reference.sampler,
        labels=labels,
        num_classes=4,
        batch_size=reference.schedule.batch_size,
        num_epochs=100,
        seed=reference.seed,
    )
    for batch in sampler.batches(0, 5):
        assert np.bincount(labels[batch]).tolist() == [128, 16, 8, 8]


def test_flux_is_divided_by_100_and_nothing_else(reference: ExperimentConfig) -> None:
    flux = torch.tensor([[[-50.0, 0.0, 1e6]]])
    assert torch.equal(transforms.build(reference.transform)(flux, None), flux / 100)


def test_a_fifth_is_validation_at_random_with_seed_2018(reference: ExperimentConfig) -> None:
    assert reference.split == splits.typed({"name": "random", "validation": 0.2, "test": 0.0, "seed": 2018})
    assert reference.seed == 2018


def test_two_stages_of_50_epochs_of_500_steps(reference: ExperimentConfig) -> None:
    first, second = reference.schedule.stages
    assert (first.epochs, first.steps, first.lr, first.start) == (50, 500, 1e-3, "last")
    assert (second.epochs, second.steps, second.lr, second.start) == (50, 500, 1e-4, "best")
    assert (first.loss.name, second.loss.name, second.loss.form) == ("cross_entropy", "soft_f1", "log_of_mean")
    assert first.lr_schedule is second.lr_schedule is None  # that of the experiment, which is constant
    assert typed(composed(["schedule=reference", "run_dir=unused"])).schedule == reference.schedule
    assert reference.objective == "val/macro_f1"
    assert reference.decision.name == "argmax"


def test_adam_is_keras_s(reference: ExperimentConfig) -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = optimizers.build(reference.optimizer, parameters=[parameter])
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.defaults["betas"] == (0.9, 0.999)
    assert optimizer.defaults["eps"] == 1e-7
    schedule = lr_schedules.build(reference.lr_schedule, optimizer=optimizer, num_steps=10)
    for _ in range(10):
        optimizer.step()
        schedule.after_step()
    assert optimizer.param_groups[0]["lr"] == 1e-3


def test_second_stage_s_loss_equals_the_published_formula(reference: ExperimentConfig) -> None:
    priors = torch.from_numpy(class_priors(np.array([0, 0, 1, 2, 3]), 4))
    loss = losses.build(reference.schedule.stages[1].loss, num_classes=4, class_priors=priors, batch_fractions=priors)
    generator = seeds.generator(0)
    logits = torch.randn(160, 4, generator=generator)
    target = torch.randint(0, 4, (160,), generator=generator)
    p, y = torch.softmax(logits.double(), 1).numpy(), np.eye(4)[target.numpy()]
    f1 = 2 * (y * p).sum(0) / (y.sum(0) + p.sum(0))
    assert float(loss(logits, target)) == pytest.approx(-math.log(f1.sum() / 4), abs=1e-5)
