"""When predicted classes have other shares than on validation."""

import numpy as np

from spectral.prediction.shift import shifted_classes

NAMES = ["star", "galaxy", "qso"]


def shifted(here: list[int], there: list[int]) -> list[str]:
    return shifted_classes(np.array(here), np.array(there), NAMES)


def test_shares_that_differ_by_chance_are_not_named() -> None:
    assert shifted([700, 200, 100], [70, 20, 10]) == []
    assert shifted([7, 2, 1], [700, 200, 100]) == []
    assert shifted([0, 0, 5], [6, 2, 2]) == []  # of five spectra it says little: Fisher's p is 0.03


def test_a_rare_class_that_grew_fourfold_is_named() -> None:
    assert shifted([960_000, 20_000, 20_000], [975, 20, 5]) == ["qso 2 %, not 0.5 %"]


def test_a_difference_that_is_certain_but_small_is_not_named() -> None:
    assert shifted([710_000, 195_000, 95_000], [700_000, 200_000, 100_000]) == []


def test_a_class_that_is_gone_is_named() -> None:
    assert shifted([900, 100, 0], [800, 100, 100]) == ["qso 0 %, not 10 %"]
    assert shifted([1000, 0, 0], [1000, 0, 0]) == []
