"""The config of the stages, and what a stage is built from."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from omegaconf import OmegaConf
from small_runs import composed, stages

from spectral.builders import build_sampler, build_stages
from spectral.configs.root import ExperimentConfig, typed
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.losses.cross_entropy import CrossEntropy
from spectral.losses.focal import Focal
from spectral.losses.soft_f1 import SoftF1
from spectral.survey import Survey
from spectral.training.stage import Stage

NUM = 90
COSINE = "{name:cosine,warmup_fraction:0}"


def config(*overrides: str) -> ExperimentConfig:
    return typed(composed(["run_dir=never", *overrides]))


def test_a_plus_adds_an_option_to_the_loss_of_a_stage() -> None:
    """As the sentence advises that refuses it without the plus: tests/cli/test_config_mistakes.py."""
    stage = config("schedule=reference", "+schedule.stages.1.loss.prior_weighted=true").schedule.stages[1]
    assert (stage.loss.form, stage.loss.prior_weighted) == ("log_of_mean", True)


def built(*overrides: str) -> list[Stage]:
    labels = np.arange(NUM) % 3
    catalog = pd.DataFrame({"id": [str(i) for i in range(NUM)], "class_index": labels})
    survey = Survey(np.zeros((NUM, 1, 8), np.float32), catalog, ("a", "b", "c"))
    dataset = Dataset(survey, np.arange(NUM), np.arange(0), np.arange(0))
    experiment = config(*overrides)
    return build_stages(experiment, build_sampler(experiment, dataset), dataset)


def test_a_stage_cannot_begin_with_the_best_weights_where_the_last_are_kept() -> None:
    two = stages({"name": "first", "epochs": 1, "steps": 1}, {"name": "second", "epochs": 1, "start": "best"})
    config(two, "schedule.keep=best")
    with pytest.raises(UserError, match=r"^schedule\.stages\[1\]\.start=best needs schedule\.keep=best"):
        config(two, "schedule.keep=last")


def test_a_null_key_of_a_stage_is_taken_from_the_experiment() -> None:
    two = stages(
        {"name": "first", "epochs": 2, "steps": 5},
        {"name": "second", "epochs": 3, "loss": "{name:focal,gamma:1.5}", "optimizer": "sgd", "lr_schedule": COSINE},
    )
    first, second = built(two, "loss=soft_f1", "optimizer.lr=0.02")
    assert (first.name, first.epochs, first.steps, first.start) == ("first", 2, 5, "last")
    assert isinstance(first.make_loss(0), SoftF1) and isinstance(second.make_loss(2), Focal)
    layer = torch.nn.Linear(2, 2)
    adam, sgd = first.make_optimizer(layer), second.make_optimizer(layer)
    assert isinstance(adam, torch.optim.Adam) and adam.param_groups[0]["lr"] == 0.02
    assert isinstance(sgd, torch.optim.SGD) and sgd.param_groups[0]["lr"] == 0.01
    falling = second.make_lr_schedule(sgd, 2)
    sgd.step()
    falling.after_step()
    assert sgd.param_groups[0]["lr"] == pytest.approx(0.005)  # half a cosine, half way


@pytest.mark.parametrize("optimizer", ["adam", "{name:sgd,lr:0.5}"])
def test_the_learning_rate_of_a_stage_replaces_that_of_its_optimizer(optimizer: str) -> None:
    (stage,) = built(stages({"name": "only", "lr": 0.03, "optimizer": optimizer}))
    assert stage.make_optimizer(torch.nn.Linear(2, 2)).param_groups[0]["lr"] == 0.03


def test_stages_do_not_share_an_optimizer() -> None:
    (stage,) = built()
    layer = torch.nn.Linear(2, 2)
    assert stage.make_optimizer(layer) is not stage.make_optimizer(layer)


def test_a_stage_changes_the_loss_if_its_options_differ_from_those_of_the_stage_before() -> None:
    four = stages(
        {"name": "own"},
        {"name": "same", "loss": "focal"},
        {"name": "other", "loss": "{name:focal,gamma:1.5}"},
        {"name": "back"},
    )
    assert [stage.changes_loss for stage in built(four, "loss=focal")] == [False, False, True, True]


@pytest.mark.parametrize(("batch_size", "steps"), [(30, 3), (40, 3), (90, 1), (200, 1)])
def test_null_steps_mean_one_pass_over_the_training_split(batch_size: int, steps: int) -> None:
    (stage,) = built("schedule.stages.0.steps=null", f"schedule.batch_size={batch_size}")
    assert stage.steps == steps


def test_a_loss_knows_the_class_shares_of_its_own_epoch() -> None:
    """A sampler that moves from one share to another is followed epoch by epoch, to the last."""
    moving = "sampler=schedule", "sampler.start=fractions", "sampler.start_fractions=[1,0,0]"
    end = "data.class_names=[a,b,c]", "sampler.end=fractions", "sampler.end_fractions=[0,1,0]"
    two = stages({"name": "one", "epochs": 4}, {"name": "two", "epochs": 5})
    first, second = built(two, *moving, *end, "loss=cross_entropy")
    for stage, epoch, share in ((first, 0, 0), (first, 2, 2 / 8), (second, 4, 4 / 8), (second, 8, 1)):
        loss = stage.make_loss(epoch)
        assert isinstance(loss, CrossEntropy)
        np.testing.assert_allclose(loss.get_buffer("output_prior").numpy(), [1 - share, share, 0], atol=1e-6)


def test_a_logit_adjusted_loss_shifts_by_the_last_epoch_s_fractions_at_the_end() -> None:
    moving = "sampler=schedule", "sampler.start=balanced", "sampler.end=fractions"
    end = "data.class_names=[a,b,c]", "sampler.end_fractions=[0.7,0.2,0.1]"
    (stage,) = built(stages({"name": "one", "epochs": 9}), *moving, *end, "loss=logit_adjusted")
    shift = stage.make_loss(8).get_buffer("shift").numpy()
    np.testing.assert_allclose(shift, np.log([0.7, 0.2, 0.1]), atol=1e-6)


TWO = stages({"name": "one", "epochs": 4}, {"name": "two", "epochs": 5})
ONE = stages({"name": "one", "epochs": 4, "lr_schedule": "{name:cosine,num_cycles:5}"})


def test_snapshots_are_of_the_last_stage() -> None:
    first, second = built(TWO, "schedule.num_snapshots=2", "lr_schedule.num_cycles=2")
    assert list(first.snapshot_epochs) == [] and list(second.snapshot_epochs) == [3, 5]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((TWO, "schedule.num_snapshots=6"), r"^schedule\.num_snapshots=6 is more than schedule\.stages\[1\]\.epochs=5"),
        ((TWO, "lr_schedule.num_cycles=5"), r"^lr_schedule\.num_cycles=5 is more than the 4 epochs"),
        ((ONE,), r"^schedule\.stages\[0\]\.lr_schedule\.num_cycles=5 is more than the 4 epochs"),
        (
            (TWO, "lr_schedule.num_cycles=2", "lr_schedule.warmup_fraction=0.5"),
            r"^lr_schedule\.warmup_fraction=0\.5 leaves nothing of the first .*: it must be below 0\.5\.",
        ),
    ],
)
def test_more_snapshots_or_cycles_than_fit_are_refused(overrides: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        config(*overrides)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], r"schedule\.stages=\[\] is empty"),
        ([{"name": "a"}, {"name": "a"}], r"have the names \['a', 'a'\]: each must differ"),
        ([{"name": "a", "epochs": 0}], r"schedule\.stages\[0\]\.epochs=0 is out of range"),
        ([{"name": "a"}, {"name": "b", "loss": {"gamma": 1}}], r"schedule\.stages\[1\]\.loss=.* needs a name"),
        ([{"name": "a", "optimizer": {"name": "sgd", "lr": 0}}], r"schedule\.stages\[0\]\.optimizer\.lr=0\.0 is out"),
        (
            [{"name": "a", "lr_schedule": "cosin"}],
            r"stages\[0\]\.lr_schedule=cosin is not known: did you mean 'cosine'",
        ),
    ],
)
def test_mistakes_name_the_stage(given: list[dict[str, Any]], sentence: str) -> None:
    whole = OmegaConf.to_container(composed(["run_dir=never"]))
    assert isinstance(whole, dict)
    whole["schedule"] = {"stages": given}
    with pytest.raises(UserError, match=sentence):
        typed(OmegaConf.create(whole))
