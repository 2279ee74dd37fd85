"""Seeds of the tests: every draw has one, and the environment variable SPECTRAL_TEST_SEED shifts them all.

A test that holds for its own seed alone tests chance. `SPECTRAL_TEST_SEED=1 python -m pytest` draws other numbers in
every test, the same ones each time.
"""

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.core
import numpy as np
import torch

SHIFT = int(os.environ.get("SPECTRAL_TEST_SEED", "0"))
TESTS = str(Path(__file__).resolve().parents[1])


def shift_seeds() -> None:
    """Shift the seeds that tests name; those within the product stay. Call it before any test module is imported."""
    if SHIFT:
        np.random.default_rng = _shifted(np.random.default_rng)
        torch.manual_seed = _shifted(torch.manual_seed)


def seed_generators() -> None:
    """Seed the generators that a test draws from without naming a seed."""
    random.seed(SHIFT)
    np.random.seed(SHIFT)
    torch.manual_seed(0)


def skip_missing_accelerators() -> None:
    """Let torch.manual_seed pass over accelerators that this machine does not have.

    It notes for each, with the whole call stack, what to seed once it is used: milliseconds, in each test and epoch.
    """
    for kind in (torch.cuda, torch.xpu, torch.mtia):
        if not kind.is_available():
            kind.manual_seed_all = lambda _seed: None  # type: ignore[attr-defined]  # of a module


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed + SHIFT)


def choose_examples() -> None:
    """Let Hypothesis draw the same examples each time, however long one takes on a machine that is busy."""
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile(
        "suite", derandomize=not SHIFT, deadline=None, database=None, suppress_health_check=slow
    )
    hypothesis.settings.load_profile("suite")
    if SHIFT:
        hypothesis.core.global_force_seed = SHIFT


def _shifted(function: Callable[..., Any]) -> Callable[..., Any]:
    def shifted(*seed: Any, **named: Any) -> Any:
        if not seed or not sys._getframe(1).f_code.co_filename.startswith(TESTS):
            return function(*seed, **named)
        return function(seed[0] + SHIFT if isinstance(seed[0], int) else [*seed[0], SHIFT])

    return shifted
