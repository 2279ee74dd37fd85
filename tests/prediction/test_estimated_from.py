"""Which spectra the class shares are estimated from, and how many processes read."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from spectral.prediction import join
from spectral.prediction.make_parts import reading_processes

PROBABILITIES = np.random.default_rng(0).dirichlet([1.0, 1.0, 1.0], 50)


def work_of(num_per_part: int) -> Any:
    """A work of 50 spectra, of which number 20 has no class."""
    probabilities = PROBABILITIES.copy()
    probabilities[20] = np.nan
    spans = [(at, min(at + num_per_part, 50)) for at in range(0, 50, num_per_part)]

    def read(span: tuple[int, int]) -> Any:
        return SimpleNamespace(probabilities=probabilities[slice(*span)])

    return SimpleNamespace(spans=spans, num_rows=50, read=read)


@pytest.mark.parametrize("num_per_part", [7, 10, 50])
@pytest.mark.parametrize(("most", "step"), [(50, 1), (49, 2), (10, 5)])
def test_the_shares_are_estimated_from_evenly_spread_spectra(
    num_per_part: int, most: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "MOST_ESTIMATED_FROM", most)
    expected = PROBABILITIES[[row for row in range(0, 50, step) if row != 20]].astype(np.float32)
    np.testing.assert_array_equal(join.probabilities_of(work_of(num_per_part)), expected)


@pytest.mark.parametrize(
    ("given", "device", "reads_slowly", "needs_checks", "num"),
    [
        (None, "cpu", False, True, 0),
        (None, "cpu", True, True, 4),
        (None, "cuda", False, True, 7),
        (None, "cuda", False, False, 0),
        (1, "cuda", True, True, 0),
        (3, "cpu", False, True, 3),
    ],
)
def test_processes_read_if_the_network_would_wait_or_if_the_user_says_so(
    given: int | None, device: str, reads_slowly: bool, needs_checks: bool, num: int
) -> None:
    command: Any = SimpleNamespace(data=SimpleNamespace(num_workers=given))
    blocks: Any = SimpleNamespace(reads_slowly=reads_slowly, needs_checks=needs_checks)
    runtime: Any = SimpleNamespace(device=torch.device(device), num_threads=8)
    assert reading_processes(command, blocks, runtime) == num
