"""Losses and weights that are no longer finite end a run in one sentence, and leave its files."""

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_runs import rows, run, stages
from trainer_bench import Bench

from spectral.errors import UserError
from spectral.training.divergence import FiniteCheck, NonFiniteLossError

Overrides = Callable[..., list[str]]


def test_a_loss_that_is_not_finite_names_stage_epoch_step_and_rate(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 1}, {"epochs": 2, "scale": math.inf, "lr": 0.5}, scores=[0.5, 0.6, 0.7])
    with pytest.raises(NonFiniteLossError) as error:
        bench.fit()
    sentence = str(error.value)
    assert "stage stage1, epoch 2, step 1, at a learning rate of 0.5: weights are no longer finite either;" in sentence
    assert "\n" not in sentence
    assert [row["epoch"] for row in bench.trainer.folder.read_metrics()] == [1]
    torch.testing.assert_close(bench.best, bench.optimizers[0].weights[1], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("lr_schedule", "scale", "lr", "where"),
    [
        # After the epoch's two steps the rate is 0 by the one, and 8 by the other.
        ({"name": "cosine", "warmup_fraction": 0.0}, math.inf, 8.0, "step 1, at a learning rate of 8:"),
        ({"name": "constant", "warmup_fraction": 0.9}, math.inf, 8.0, "step 1, at a learning rate of 4.44444:"),
    ],
)
def test_the_rate_is_that_of_the_step(
    lr_schedule: dict[str, Any], scale: float, lr: float, where: str, tmp_path: Path
) -> None:
    options = {"epochs": 1, "lr_schedule": lr_schedule, "scale": scale, "lr": lr}
    with pytest.raises(NonFiniteLossError, match=re.escape(where)):
        Bench(tmp_path, options, scores=[0.5]).fit()


def test_each_loss_has_its_own_rate_and_no_cause_that_is_not_known() -> None:
    network = torch.nn.Linear(1, 1)
    check = FiniteCheck(network, "only", epoch=3, kept_in=None)
    losses = [torch.tensor(value) for value in (1.0, math.inf, math.nan)]
    place = "the loss became inf in stage only, epoch 3, step 27, at a learning rate of 0.2: "
    with pytest.raises(NonFiniteLossError, match=f"^{place}all weights are finite; try another loss"):
        check.check_losses(losses, [0.3, 0.2, 0.1], num_before=25)
    torch.nn.init.constant_(network.weight, math.nan)
    with pytest.raises(NonFiniteLossError, match=f"^{place}weights are no longer finite either; try a lower"):
        check.check_losses(losses, [0.3, 0.2, 0.1], num_before=25)
    check.check_losses(losses[:1], [0.3], num_before=25)


def test_weights_that_become_nan_at_the_last_step_of_an_epoch_are_not_saved(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 1}, {"epochs": 1, "lr": math.inf}, scores=[0.5])
    bench.trainer.stages[1] = dataclasses.replace(bench.trainer.stages[1], steps=1)
    with pytest.raises(NonFiniteLossError, match="the next loss would not be finite in stage stage1, epoch 2, step 1"):
        bench.fit()
    torch.testing.assert_close(bench.best, bench.optimizers[0].weights[1], rtol=0, atol=0)


def test_an_output_that_is_not_finite_ends_in_one_sentence(small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="output is not finite for 29 of 29 spectra"):
        run(small("schedule.stages.0.steps=1", "optimizer=sgd", "optimizer.lr=1e30"))
    assert rows(tmp_path / "run") == []


def test_a_run_whose_loss_becomes_nan_keeps_what_it_wrote(small: Overrides, tmp_path: Path) -> None:
    two = stages({"name": "good", "epochs": 2, "steps": 3}, {"name": "wild", "epochs": 2, "steps": 30, "lr": 1e38})
    with pytest.raises(UserError, match=r"stage wild, epoch 3.*the weights of an earlier epoch are kept in"):
        run(small(two, "optimizer=sgd"))
    folder = tmp_path / "run"
    assert [row["epoch"] for row in rows(folder)] == [1, 2]
    assert load_file(folder / "best.safetensors")
    assert not (folder / "result.json").exists()
