"""The training loop, by what whole runs write and by a hand-made trainer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score
from small_runs import outcome, result, rows, run, stages
from trainer_bench import Bench

from spectral.errors import UserError
from spectral.inputs.augmentations import Shift
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Scale
from spectral.training.distillation import Teacher, View

Overrides = Callable[..., list[str]]


def test_a_best_start_takes_the_best_weights_and_a_fresh_optimizer(tmp_path: Path) -> None:
    second_stage = {"epochs": 1, "start": "best", "lr": 1e-30, "momentum": 0.9}
    bench = Bench(tmp_path, {"epochs": 3, "momentum": 0.9}, second_stage, scores=[0.1, 0.9, 0.2, 0.3])
    written = bench.fit()
    first, second = bench.optimizers
    assert [row["lr"] for row in written] == [0.1, 0.1, 0.1, 1e-30]
    assert [row["stage"] for row in written] == ["stage0"] * 3 + ["stage1"]
    # The best epoch is the second, whose last step is the fourth; the tiny rate then moves nothing.
    torch.testing.assert_close(bench.best, first.weights[3], rtol=0, atol=0)
    torch.testing.assert_close(second.weights[-1], first.weights[3], rtol=0, atol=0)
    assert not torch.equal(first.weights[5], first.weights[3])
    assert bench.trainer.best_stage.name == "stage0"


def test_a_last_start_continues_from_the_last_weights(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 2}, {"epochs": 1, "lr": 1e-30}, scores=[0.9, 0.1, 0.1])
    bench.fit()
    first, second = bench.optimizers
    torch.testing.assert_close(second.weights[-1], first.weights[-1], rtol=0, atol=0)


def test_a_fresh_stage_equals_the_same_steps_without_momentum_from_before(tmp_path: Path) -> None:
    """Momentum left over from the first stage would move the second one's first step."""
    bench = Bench(tmp_path, {"epochs": 1, "momentum": 0.9}, {"epochs": 1, "momentum": 0.9}, scores=[0.1, 0.2])
    bench.fit()
    first, second = bench.optimizers
    moved = second.weights[0] - first.weights[-1]
    assert float(moved.norm()) <= 0.1 * second.norms[0] + 1e-6


def test_a_tie_keeps_the_later_epoch_and_counts_as_no_gain(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 3}, scores=[0.5, 0.5, 0.4])
    bench.fit()
    assert bench.trainer.best_epoch == 2
    torch.testing.assert_close(bench.best, bench.optimizers[0].weights[3], rtol=0, atol=0)
    assert bench.trainer.epochs_without_gain == 2


def test_the_last_weights_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 3}, scores=[0.5, 0.9, 0.4], keeps_last=True)
    bench.fit()
    assert bench.trainer.best_epoch == 3 and bench.trainer.epochs_without_gain == 1
    torch.testing.assert_close(bench.best, bench.optimizers[0].weights[-1], rtol=0, atol=0)


def test_patience_ends_a_stage_and_each_stage_has_its_own(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path, {"epochs": 10}, {"epochs": 10}, scores=[0.5, 0.6, 0.1, 0.6, 0.1, 0.1, 0.1], patience_epochs=2
    )
    written = bench.fit()
    assert [row["stage"] for row in written] == ["stage0"] * 4 + ["stage1"] * 2
    assert bench.trainer.best_epoch == 4  # ties with the second


def test_a_smaller_loss_is_better_and_needs_no_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 4, "lr": 0.3}, objective="train/loss")
    written = bench.fit()
    losses = [row["train/loss"] for row in written]
    assert bench.trainer.best_epoch == 1 + int(np.argmin(losses))
    assert losses[-1] < losses[0]
    assert not any(key.startswith("val/") for row in written for key in row)


@pytest.mark.parametrize("clip_norm", [None, 0.01])
def test_the_gradient_is_clipped_to_its_norm(tmp_path: Path, clip_norm: float | None) -> None:
    bench = Bench(tmp_path, {"epochs": 2, "scale": 10.0}, scores=[0.1, 0.2], clip_norm=clip_norm)
    bench.fit()
    norms = bench.optimizers[0].norms
    if clip_norm is None:
        assert min(norms) > 0.01
    else:
        assert norms == pytest.approx([clip_norm] * 4, rel=1e-4)


def test_the_averaged_weights_equal_their_formula_and_are_saved(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"epochs": 2}, scores=[0.1, 0.2], ema_decay=0.8)
    bench.fit()
    steps = [weight.double() for weight in bench.optimizers[0].weights]
    average = steps[0]
    for step, weight in enumerate(steps[1:], start=1):
        decay = min(0.8, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * weight
    torch.testing.assert_close(bench.best.double(), average, rtol=1e-6, atol=1e-7)


def test_a_stage_from_the_best_weights_starts_a_new_average(tmp_path: Path) -> None:
    stages_ = {"epochs": 2}, {"epochs": 1, "start": "best"}
    bench = Bench(tmp_path, *stages_, scores=[0.9, 0.1, 0.95], ema_decay=0.8)
    bench.fit()
    first, second = (weight.double() for weight in bench.optimizers[1].weights)
    decay = 2 / 11
    torch.testing.assert_close(bench.best.double(), decay * first + (1 - decay) * second, rtol=1e-6, atol=1e-7)


def test_the_average_of_a_short_run_forgets_its_first_weights(tmp_path: Path) -> None:
    """0.999 without a warm-up would leave 99.7 % of the average on the weights after the first of four steps."""
    bench = Bench(tmp_path, {"epochs": 2}, scores=[0.1, 0.2], ema_decay=0.999)
    bench.fit()
    first, *_, last = (weight.double() for weight in bench.optimizers[0].weights)
    assert (bench.best.double() - last).norm() < 0.5 * (bench.best.double() - first).norm()


def test_the_first_stage_has_no_best_weights_to_start_from(tmp_path: Path) -> None:
    """Weights left in the folder by an attempt without a readable checkpoint are not used."""
    plain = Bench(tmp_path, {"epochs": 2, "start": "best"}, scores=[0.1, 0.2])
    plain.fit()
    (tmp_path / "run" / "last.ckpt").unlink()
    again = Bench(tmp_path, {"epochs": 2, "start": "best"}, scores=[0.1, 0.2])
    again.fit()
    torch.testing.assert_close(again.best, plain.best, rtol=0, atol=0)


def test_the_stages_decide_the_number_of_epochs_and_steps(small: Overrides, tmp_path: Path) -> None:
    seen: list[tuple[int, str]] = []
    two = stages(
        {"name": "ce", "epochs": 2, "steps": 3, "loss": "cross_entropy", "lr": "1e-2"},
        {
            "name": "f1",
            "epochs": 1,
            "steps": "null",
            "loss": "{name:soft_f1,form:mean_of_logs}",
            "lr": "1e-3",
            "start": "best",
        },
    )
    score = run(small(two), on_epoch=lambda epoch, row: seen.append((epoch, row["stage"])))
    written = rows(tmp_path / "run")
    assert [(row["epoch"], row["stage"], row["lr"]) for row in written] == [
        (1, "ce", 0.01),
        (2, "ce", 0.01),
        (3, "f1", 0.001),
    ]
    assert seen == [(row["epoch"], row["stage"]) for row in written]
    best = max(written, key=lambda row: (row["val/macro_f1"], row["epoch"]))
    final = result(tmp_path / "run")
    assert final["best_epoch"] == best["epoch"] and final["num_epochs"] == 3
    assert score == final["val/macro_f1"] == pytest.approx(best["val/macro_f1"], abs=1e-12)
    assert final["train/loss"] == best["train/loss"]


def test_a_seed_decides_all_numbers(small: Overrides, tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(small(f"seed={seed}", "schedule.stages.0.epochs=2", folder=folder))
    assert outcome(tmp_path / "a") == outcome(tmp_path / "b")
    losses = [[row["train/loss"] for row in rows(tmp_path / folder)] for folder in ("a", "c")]
    assert all(mine != other for mine, other in zip(*losses, strict=True))


def test_training_learns_what_is_easy(small: Overrides) -> None:
    assert run(small("schedule.stages.0.epochs=3", "schedule.stages.0.steps=80", "model.width=8")) > 0.9


def test_the_training_loss_can_be_the_objective_without_validation(small: Overrides, tmp_path: Path) -> None:
    loss = run(small("objective=train/loss", "split.validation=0"))
    final = result(tmp_path / "run")
    assert loss == final["train/loss"] == min(row["train/loss"] for row in rows(tmp_path / "run"))
    assert "val/macro_f1" not in final and "test/macro_f1" in final


def test_training_on_all_spectra_writes_a_result_without_scores(small: Overrides, tmp_path: Path) -> None:
    run(small("objective=train/loss", "split.validation=0", "split.test=0"))
    assert result(tmp_path / "run")["train/num_spectra"] == 120


def test_several_objectives_give_a_list_and_the_first_chooses_the_epoch(small: Overrides, tmp_path: Path) -> None:
    values = run(small("objective=[val/log_loss,val/f1/qso]", "schedule.stages.0.epochs=4"))
    final = result(tmp_path / "run")
    assert values == [final["val/log_loss"], final["val/f1/qso"]]
    losses = [row["val/log_loss"] for row in rows(tmp_path / "run")]
    assert final["best_epoch"] == 1 + int(np.argmin(losses))


def test_a_run_that_keeps_its_last_epoch_is_scored_with_it(small: Overrides, tmp_path: Path) -> None:
    destroys = "schedule.stages=[{name: learns, epochs: 3, steps: 20}, {name: destroys, epochs: 1, steps: 3, lr: 100}]"
    score = run(small("schedule.keep=last", destroys))
    scores = [row["val/macro_f1"] for row in rows(tmp_path / "run")]
    assert result(tmp_path / "run")["best_epoch"] == 4 and max(scores) > scores[-1]
    assert score == pytest.approx(scores[-1], abs=1e-12)


def test_a_fitted_decision_rule_is_kept_with_the_run(small: Overrides, tmp_path: Path) -> None:
    run(small("decision=macro_f1", "sampler=balanced"))
    assert set(result(tmp_path / "run")["confusion"]) == {"val", "val/decision", "test", "test/decision"}


def test_a_score_has_one_name_in_the_epochs_and_in_the_result(small: Overrides, tmp_path: Path) -> None:
    """val/ is argmax, val/decision/ is the decision rule."""
    score = run(small("decision=macro_f1", "sampler=balanced"))
    final, epochs = result(tmp_path / "run"), rows(tmp_path / "run")
    best = epochs[final["best_epoch"] - 1]
    assert score == final["val/macro_f1"]
    assert {name: final[name] for name in best if name.startswith("val/")} == pytest.approx(
        {name: value for name, value in best.items() if name.startswith("val/")}, abs=1e-12
    )
    stored = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    for key, split in (("val", "validation"), ("test", "test")):
        table = stored[stored["split"] == split]
        decided = f1_score(table["label"], table["predicted"], average="macro")
        assert final[f"{key}/decision/macro_f1"] == pytest.approx(decided)
        argmax = table.filter(like="probability/").idxmax(axis=1).str.removeprefix("probability/")
        assert final[f"{key}/macro_f1"] == pytest.approx(f1_score(table["label"], argmax, average="macro"))


@pytest.mark.parametrize("decision", ["argmax", "macro_f1"])
def test_a_run_may_be_chosen_by_its_decision_rule(decision: str, small: Overrides, tmp_path: Path) -> None:
    name = "val/decision/macro_f1"
    score = run(small(f"decision={decision}", f"objective={name}", "sampler=balanced"))
    final, epochs = result(tmp_path / "run"), rows(tmp_path / "run")
    best = max(epochs, key=lambda row: (row[name], row["epoch"]))
    assert score == final[name] == pytest.approx(best[name]) and final["best_epoch"] == best["epoch"]
    assert (final[name] == final["val/macro_f1"]) or decision == "macro_f1"


def test_the_output_prior_is_that_of_the_best_epoch(small: Overrides, tmp_path: Path) -> None:
    """Fractions that move during a stage: the rule of the last epoch starts from the last fractions."""
    moving = ["sampler=schedule", "sampler.start=natural", "sampler.end=fractions"]
    ends = "sampler.end_fractions={star: 0.1, galaxy: 0.3, qso: 0.6}"
    run([*small(*moving, ends, "objective=train/loss", "decision.prior_correction=true")])
    final = result(tmp_path / "run")
    done = (final["best_epoch"] - 1) / 2
    natural, end = np.array([0.5, 0.25, 0.25]), np.array([0.1, 0.3, 0.6])
    stored = json.loads((tmp_path / "run" / "model.json").read_text())["output_prior"]
    assert stored == pytest.approx((1 - done) * natural + done * end, abs=0.02)


def test_a_decision_rule_that_cannot_be_fitted_is_refused_before_training(small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="decision=macro_f1"):
        run(small("decision=macro_f1", "split.validation=0", "objective=train/loss"))
    with pytest.raises(UserError, match=r"there is one of '(galaxy|qso)'"):
        run(small("decision=macro_f1", "split.validation=0.03"))
    with pytest.raises(UserError, match="the sampler never draws class index 2"):
        run(small("decision=macro_f1", "sampler=fractions", "sampler.fractions=[0.5,0.5,0]"))
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_augmentation_and_mixup_change_the_training_by_the_seed_alone(small: Overrides, tmp_path: Path) -> None:
    chosen = ["inputs.augmentations=[shift,{name: noise, max_sigma: 1},crop]", "schedule.mixup_alpha=0.4"]
    for name, added in {"plain": [], "one": chosen, "two": chosen}.items():
        run(small(f"run_dir={tmp_path / name}", "schedule.stages.0.epochs=1", *added))
    assert outcome(tmp_path / "one") == outcome(tmp_path / "two") != outcome(tmp_path / "plain")


class WatchingTeacher(Teacher):
    """It keeps what it is shown, and says nothing."""

    views: ClassVar[list[View]]

    def targets(self, view: View, output_prior: torch.Tensor) -> torch.Tensor:
        self.views.append(view)
        return torch.zeros(len(view.positions), 3)


@pytest.mark.parametrize("alpha", [None, 0.4])
def test_a_teacher_is_shown_what_the_network_is_given(tmp_path: Path, alpha: float | None) -> None:
    bench, given = Bench(tmp_path, {"epochs": 1}, scores=[0.1], mixup_alpha=alpha), list[torch.Tensor]()
    trainer, WatchingTeacher.views = bench.trainer, []
    trainer.inputs = Inputs(1, Scale(2.0), [Flux()], augmentations=[Shift(2)])
    trainer.teacher = WatchingTeacher(torch.full((3,), 1 / 3), 0.5, 1.0)
    bench.network.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    bench.fit()
    assert len(given) == len(WatchingTeacher.views) == 2
    for channels, view in zip(given, WatchingTeacher.views, strict=True):
        assert view.channels is channels
        mine, _ = trainer.inputs(*view.spectra)
        if view.mixture:
            mine = torch.lerp(mine[view.mixture.order], mine, view.mixture.share)
        assert torch.equal(mine, channels) and (view.mixture is None) is (alpha is None)
        raw = trainer.source.gather(trainer.rows[view.positions]).flux
        assert not torch.equal(view.spectra[0], raw)
