"""Training on a GPU; skipped where there is none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import outcome, result, run

from spectral.inputs import batches
from spectral.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
Overrides = Callable[..., list[str]]


@pytest.mark.parametrize("is_resident", [True, False], ids=["survey on the device", "batches sent"])
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["inputs.channels=[flux,mask]"],
        ["loss=soft_f1"],
        ["schedule.clip_norm=1", "schedule.ema_decay=0.9"],
        ["schedule.mixup_alpha=0.2", "inputs.augmentations=[{name: redshift, classes: [galaxy]}]"],
        ["inputs.channels=[flux,savgol]"],
    ],
    ids=str,
)
def test_nothing_waits_for_the_gpu_within_an_epoch(
    options: list[str], is_resident: bool, small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Trainer.steps

    def without_waiting(trainer: Trainer, *given: Any) -> Iterator[torch.Tensor]:
        torch.cuda.set_sync_debug_mode("error")
        try:
            losses = list(steps(trainer, *given))
        finally:
            torch.cuda.set_sync_debug_mode("default")
        yield from losses

    monkeypatch.setattr(Trainer, "steps", without_waiting)
    if not is_resident:
        monkeypatch.setattr(batches, "_fits", lambda num_bytes, device: False)
    run(small("device=cuda", *options))
    assert result(tmp_path / "run")["num_epochs"] > 0


def test_the_same_seed_gives_the_same_numbers(small: Overrides, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(small("device=cuda", folder=name))
    assert outcome(tmp_path / "one") == outcome(tmp_path / "two")
