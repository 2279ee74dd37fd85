"""Which pixels of a run the pixels of other spectra are."""

import re
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.run_and_data import check_fits
from spectral.inference.wavelengths import begins_as, check_same_pixels, difference_to_initial
from spectral.survey import Survey

WAVE = np.linspace(4000.0, 5000.0, 11)


def trained_on(num_pixels: int, wave: Any = None) -> Classifier:
    return Classifier(None, cast(InputSpec, None), ["star", "qso"], num_pixels, wave)


def survey(num_pixels: int, wave: Any = None) -> Survey:
    return Survey(np.zeros((1, 1, num_pixels), np.float32), cast(Any, None), ("star", "qso"), wave_angstrom=wave)


@pytest.mark.parametrize(
    ("run", "data", "doubt"),
    [
        (trained_on(11, WAVE), survey(11, WAVE), ""),
        (trained_on(11, WAVE), survey(11, WAVE + 9), ""),  # less than a tenth of a pixel of 100 Angstrom
        (trained_on(11), survey(11), ""),
        (trained_on(11, WAVE), survey(9, WAVE[:9]), "9 pixels .* RUN was trained on 11: the last 2 count as bad"),
        (trained_on(11), survey(9), "neither has wavelengths: the first pixels .* the last 2 count as bad"),
        (trained_on(11, WAVE), survey(11), "The data has no wavelengths: its pixels are taken for those of RUN, 4000"),
        (trained_on(11), survey(11, WAVE), "RUN has none to compare them with"),
        (trained_on(11), survey(9, WAVE[:9]), "none to compare them with; the data has 9 .* last 2 count as bad"),
    ],
)
def test_what_is_not_known_is_said(run: Classifier, data: Survey, doubt: str) -> None:
    found = check_same_pixels(run, data, "RUN")
    assert re.search(doubt, found) if doubt else found == ""


@pytest.mark.parametrize("data", [survey(11, WAVE + 11), survey(9, WAVE[2:]), survey(9)])
def test_other_pixels_are_refused(data: Survey) -> None:
    with pytest.raises(UserError, match="RUN"):
        check_same_pixels(trained_on(11, WAVE), data, "RUN")


def test_the_beginning_of_a_grid_is_not_longer_than_it() -> None:
    assert begins_as(WAVE, WAVE[:1]) and begins_as(WAVE, WAVE) and not begins_as(WAVE[:9], WAVE)


def test_a_grid_that_is_longer_than_all_of_its_spectra_is_refused() -> None:
    """As a CSV whose last columns of wavelengths are blank in all rows."""
    catalog = pd.DataFrame({"id": ["a"], "length": [9]})
    data = Survey(np.zeros((1, 1, 11), np.float32), catalog, ("star", "qso"), wave_angstrom=WAVE)
    run = Classifier(None, cast(InputSpec, SimpleNamespace(num_channels=1)), ["star", "qso"], 9)
    with pytest.raises(UserError, match=r"^the data has 11 pixels per spectrum, RUN was trained on 9\.$"):
        check_fits(run, data, "RUN")


@pytest.mark.parametrize(
    ("initial", "own", "are_others", "sentence"),
    [
        (trained_on(11, WAVE), trained_on(11, WAVE), False, ""),
        (trained_on(11), trained_on(11), False, ""),
        (trained_on(11, WAVE), trained_on(11, WAVE * 2), True, "INIT was trained on 4000.0 to 5000.0"),
        (trained_on(11, WAVE), trained_on(9, WAVE[:9]), True, "INIT was trained on 4000.0 to 5000.0"),
        (trained_on(11, WAVE), trained_on(11), False, "INIT has wavelengths, this data has none"),
        (trained_on(11), trained_on(11, WAVE), False, "this data has wavelengths, INIT has none"),
        (trained_on(11), trained_on(9), False, "INIT was trained on 11 pixels per spectrum, here there are 9"),
    ],
)
def test_initial_weights_are_compared_by_their_wavelengths(
    initial: Classifier, own: Classifier, are_others: bool, sentence: str
) -> None:
    found = difference_to_initial(initial, own, "INIT")
    assert found[1] is are_others and found[0].startswith(sentence) and bool(found[0]) == bool(sentence)
