"""A network or a loss that does not keep to its contract ends a run before anything is written."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import outcome, run
from torch import Tensor

from spectral.errors import UserError
from spectral.losses.cross_entropy import CrossEntropy
from spectral.models.reference import ReferenceNetwork

Overrides = Callable[..., list[str]]
SHAPE = "a tensor of shape "
SEED = "seed=1"  # of all that a run draws


def gives(kind: Any, change: Callable[[Any], Any]) -> Any:
    """The class of a network or a loss whose output is changed."""
    return type(kind.__name__, (kind,), {"forward": lambda self, *args: change(kind.forward(self, *args))})


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (lambda logits: torch.cat([logits, logits[:, :1]], dim=1), SHAPE + "[2, 4]"),
        (lambda logits: logits[:, :2], SHAPE + "[2, 2]"),
        (lambda logits: logits[:, None], SHAPE + "[2, 1, 3]"),
        (lambda logits: logits[0], SHAPE + "[3]"),
        (lambda logits: logits[:1], SHAPE + "[1, 3]"),
        (lambda logits: (logits, logits), "a tuple"),
    ],
)
def test_a_network_that_gives_no_logits_of_the_classes(
    change: Callable[[Any], Any], given: str, small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectral.models.reference.ReferenceNetwork", gives(ReferenceNetwork, change))
    sentence = f"gives {given} for 2 spectra of 3 classes: it must give a tensor of shape [2, 3]."
    with pytest.raises(UserError, match=re.escape(sentence)):
        run(small())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "given"), [(lambda loss: loss.expand(16), SHAPE + "[16]"), (lambda _loss: 0.5, "a float")]
)
def test_a_loss_that_gives_no_scalar(
    change: Callable[[Any], Any], given: str, small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectral.losses.cross_entropy.CrossEntropy", gives(CrossEntropy, change))
    with pytest.raises(UserError, match=re.escape(f"The loss CrossEntropy gives {given} for 2 spectra: it must give")):
        run(small())
    assert not (tmp_path / "run").exists()


def test_trying_a_network_does_not_change_a_run(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This network draws at each pass, and keeps what it drew at the first."""

    class Drawing(ReferenceNetwork):
        kept: Tensor | None = None

        def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
            logits: Tensor = super().forward(flux, mask)
            self.kept = torch.rand(()) if self.kept is None else self.kept
            return logits + self.kept * torch.rand_like(logits)

    monkeypatch.setattr("spectral.models.reference.ReferenceNetwork", Drawing)
    run(small(SEED))
    monkeypatch.setattr("spectral.experiment.check_network", lambda *_: None)
    run(small(SEED, folder="untried"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "untried")


def test_a_network_that_cannot_be_tried_is_trained(
    small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with layers for a GPU alone cannot be tried on a CPU. This one takes no blank spectra."""

    class Refusing(ReferenceNetwork):
        def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
            if not flux.any():
                raise RuntimeError("expected a tensor on a GPU")
            logits: Tensor = super().forward(flux, mask)
            return logits

    monkeypatch.setattr("spectral.models.reference.ReferenceNetwork", Refusing)
    run(small())
    assert (tmp_path / "run" / "result.json").is_file()
