"""A run keeps whether pixels without inverse variance were masked, and is applied in the same way."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from toy_reader import ToyReader, packed

from spectral.configs.inputs import InputsConfig, transforms
from spectral.configs.models import models
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inference.arrays import survey_of_arrays
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.run_and_data import check_fits
from spectral.survey import Survey


def survey_in(folder: Path, **options: object) -> Survey:
    survey = packed(folder, ToyReader(with_ivar=True), **options)
    return survey.with_split(survey.catalog["label"].map(lambda _: "train"))


def trained_on(survey: Survey) -> Classifier:
    config: Any = SimpleNamespace(inputs=InputsConfig(), transform=transforms.typed("standardize"))
    config.inputs.check("inputs")
    inputs = InputSpec.describing(config, Dataset.of(survey))
    return Classifier(models.typed("fcn"), inputs, list(survey.class_names), survey.length)


@pytest.mark.parametrize("ivar_masks", [True, False])
def test_arrays_are_masked_as_the_spectra_of_the_run(tmp_path: Path, ivar_masks: bool) -> None:
    classifier = trained_on(survey_in(tmp_path, ivar_masks=ivar_masks))
    ivar = np.ones(12)
    ivar[5] = 0
    given = survey_of_arrays(classifier, "run", np.arange(12.0), ivar)
    assert (np.zeros((1, 12), bool) if given.mask is None else given.mask)[0, 5] == ivar_masks


def test_data_that_is_masked_otherwise_is_refused(tmp_path: Path) -> None:
    masked, not_masked = (survey_in(tmp_path / str(masks), ivar_masks=masks) for masks in (True, False))
    check_fits(trained_on(masked), masked, "run=r")
    check_fits(trained_on(not_masked), not_masked, "run=r")
    said = "made with data.ivar_masks=false, run=r was trained with data.ivar_masks=true: give the data the same"
    with pytest.raises(UserError, match=said):
        check_fits(trained_on(masked), not_masked, "run=r")


def test_data_or_a_run_without_inverse_variances_fits_either_way(tmp_path: Path) -> None:
    without = packed(tmp_path / "without", ToyReader())
    without = without.with_split(without.catalog["label"].map(lambda _: "train"))
    assert without.ivar_masks is None and trained_on(without).inputs.ivar_masks is None
    for masks in (True, False):
        survey = survey_in(tmp_path / str(masks), ivar_masks=masks)
        check_fits(trained_on(without), survey, "run=r")
        check_fits(trained_on(survey), without, "run=r")
