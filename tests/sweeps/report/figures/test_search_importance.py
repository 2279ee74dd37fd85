"""Importances of axes that decide nothing: those of chance."""

from pathlib import Path

import numpy as np
import pytest

from sweeps.report.figures.search_importance import importances
from sweeps.report.model import Report, ReportedTrial

NUM_STUDIES = 3
NUM_TRIALS = 1500  # so many that the noise of the scores puts no other axis first
CHOICES = {"width": [16, 32], "squeeze": [0, 4], "depth": [2, 3, 4], "dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}


def search_of_rates(seed: int) -> Report:
    """Trials of which the learning rate alone decides the score, with noise."""
    rng = np.random.default_rng(seed)
    trials = []
    for n in range(NUM_TRIALS):
        rate = float(10 ** rng.uniform(-4, -2))
        values = {name: rng.choice(choice).item() for name, choice in CHOICES.items()} | {"rate": rate}
        score = 0.015 * np.log10(rate) + 0.02 * rng.normal()
        trials.append(ReportedTrial(n, "complete", (float(score),), values, [], "", None, None, {}, {}, (), True))
    space = {"space": {"rate": {"low": 1e-4, "high": 1e-2, "log": True}}}
    return Report("study", Path(), ["val/macro_f1"], ["maximize"], trials, [0], identity=space)


@pytest.mark.slow
def test_a_choice_of_few_numbers_does_not_matter_by_chance() -> None:
    found = [importances(search_of_rates(seed)) for seed in range(NUM_STUDIES)]
    assert [next(iter(parts)) for parts in found] == ["rate"] * NUM_STUDIES
    assert max(np.mean([parts[name] for parts in found]) for name in CHOICES) < 0.15
