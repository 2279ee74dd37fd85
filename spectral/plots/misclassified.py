"""misclassified/01.png, ...: the spectra that the network is most certain of and wrong about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.plots.style import COLOURS, GREY, figure, save
from spectral.survey import Survey

NUM_SHOWN = 12


def most_confident_mistakes(predictions: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Up to NUM_SHOWN rows of predictions.parquet that are wrong, surest first, with `confidence`.

    The confidence is the network's probability of the predicted class, whatever the decision rule.
    """
    probability = predictions[[f"probability/{name}" for name in class_names]].to_numpy()
    place = {name: k for k, name in enumerate(class_names)}
    chosen = predictions["predicted"].map(place).to_numpy(dtype=int)
    confident = predictions.assign(confidence=probability[np.arange(len(predictions)), chosen])
    wrong = confident[confident["label"] != confident["predicted"]]
    return wrong.sort_values("confidence", ascending=False, kind="stable").head(NUM_SHOWN)


def draw_spectrum(path: Path, survey: Survey, row: int, mistake: Any) -> None:
    """Draw a survey's row.

    Args:
        mistake: a row of most_confident_mistakes.
    """
    length = int(survey.catalog["length"].iloc[row])
    x = np.arange(length) if survey.wave_angstrom is None else survey.wave_angstrom[:length]
    drawn, axes = figure(8, 1.2 + 1.6 * survey.num_channels, nrows=survey.num_channels, sharex=True, squeeze=False)
    for channel, one in enumerate(axes[:, 0]):
        one.plot(x, _visible(survey, row, channel)[:length], color=COLOURS[0], linewidth=0.7)
        one.set_ylabel("flux" if survey.num_channels == 1 else f"channel {channel}")
        one.margins(x=0.01)
    axes[-1, 0].set_xlabel("pixel" if survey.wave_angstrom is None else "wavelength [Å]")
    axes[0, 0].set_title(f"{mistake.id}: {mistake.label}, taken for {mistake.predicted} ({mistake.confidence:.1%})")
    axes[0, 0].title.set_color("black" if mistake.confidence >= 0.5 else GREY)
    save(drawn, path)


def _visible(survey: Survey, row: int, channel: int) -> NDArray[np.float64]:
    """Flux [L] with gaps at bad pixels."""
    flux = np.array(survey.flux[row, channel], dtype=np.float64)
    if survey.mask is not None:
        flux[survey.mask[row]] = np.nan
    return flux
