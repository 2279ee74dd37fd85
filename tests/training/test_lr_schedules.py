import math

import pytest
import torch

from spectral.configs.lr_schedule import PlateauConfig, ends_of_parts, lr_schedules


def rates(name: str, num_steps: int, epoch_losses: tuple[float, ...] = (0.0,), **options: object) -> list[float]:
    """The learning rate of each step, from 2."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    config = lr_schedules.typed({"name": name, **options})
    schedule = lr_schedules.build(config, optimizer=optimizer, num_steps=num_steps, num_epochs=len(epoch_losses))
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


def test_cosine_restarts_with_each_cycle_of_whole_epochs() -> None:
    """Ten epochs of four steps, the first with a warm-up: cycles of 3, 4 and 3 epochs."""

    def half(num_steps: int) -> list[float]:
        return [2 * (0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * step / num_steps))) for step in range(num_steps)]

    options = {"warmup_fraction": 0.1, "final_fraction": 0.2, "num_cycles": 3}
    found = rates("cosine", 40, (0.0,) * 10, **options)
    assert found == pytest.approx([0.5, 1.0, 1.5, 2.0, *half(8), *half(16), *half(12)])


@pytest.mark.parametrize(("num_epochs", "num_steps", "num_cycles"), [(7, 13, 3), (12, 40, 3), (11, 7, 11), (6, 1, 5)])
def test_a_cycle_begins_with_the_first_step_of_an_epoch(num_epochs: int, num_steps: int, num_cycles: int) -> None:
    options = {"warmup_fraction": 0.0, "num_cycles": num_cycles}
    found = rates("cosine", num_epochs * num_steps, (0.0,) * num_epochs, **options)
    begins = [0, *ends_of_parts(num_epochs, num_cycles)[:-1]]
    assert [step for step, rate in enumerate(found) if rate == 2] == [epoch * num_steps for epoch in begins]


@pytest.mark.parametrize(("num_epochs", "num_parts", "ends"), [(12, 3, [4, 8, 12]), (10, 4, [3, 5, 8, 10]), (5, 0, [])])
def test_parts_end_with_the_nearest_whole_epoch(num_epochs: int, num_parts: int, ends: list[int]) -> None:
    assert ends_of_parts(num_epochs, num_parts) == ends


def test_multistep_divides_at_each_milestone() -> None:
    found = rates("multistep", 10, milestones=[0.5, 0.8], factor=0.1)
    assert found == pytest.approx([2.0] * 5 + [0.2] * 3 + [0.02] * 2)


def test_plateau_waits_for_its_patience_and_stops_at_its_floor() -> None:
    losses = (1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    found = rates("plateau", 8, losses, patience_epochs=1, factor=0.5, final_fraction=0.25)
    assert found == pytest.approx([2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.5])


@pytest.mark.parametrize("patience_epochs", [0, 1, 4])
def test_a_plateau_lowers_the_rate_first_in_the_epoch_that_its_config_says(patience_epochs: int) -> None:
    first = PlateauConfig(patience_epochs=patience_epochs).first_epoch
    found = rates("plateau", first + 1, (1.0,) * (first + 1), patience_epochs=patience_epochs)
    assert found.index(1.0) == first - 1
