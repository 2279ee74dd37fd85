import math

import pytest
import torch

from spectral.configs.lr_schedule import lr_schedules


def rates(name: str, num_steps: int, epoch_losses: tuple[float, ...] = (0.0,), **options: object) -> list[float]:
    """The learning rate of each step, from 2."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    config = lr_schedules.typed({"name": name, **options})
    schedule = lr_schedules.build(config, optimizer=optimizer, num_steps=num_steps)
    seen = []
    for loss in epoch_losses:
        for _ in range(num_steps // len(epoch_losses)):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.after_step()
        schedule.after_epoch(loss)
    return seen


def test_constant_keeps_the_learning_rate() -> None:
    assert rates("constant", 4) == [2.0] * 4


def test_warm_up_rises_in_a_straight_line_from_its_first_step() -> None:
    assert rates("constant", 10, warmup_fraction=0.4) == pytest.approx([0.5, 1.0, 1.5, 2.0] + [2.0] * 6)


def test_cosine_equals_its_formula() -> None:
    expected = [2 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / 8))) for step in range(8)]
    assert rates("cosine", 8, warmup_fraction=0.0, final_fraction=0.1) == pytest.approx(expected)


def test_multistep_divides_at_each_milestone() -> None:
    found = rates("multistep", 10, milestones=[0.5, 0.8], factor=0.1)
    assert found == pytest.approx([2.0] * 5 + [0.2] * 3 + [0.02] * 2)


def test_plateau_waits_for_its_patience_and_stops_at_its_floor() -> None:
    losses = (1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    found = rates("plateau", 8, losses, patience_epochs=1, factor=0.5, final_fraction=0.25)
    assert found == pytest.approx([2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.5])
