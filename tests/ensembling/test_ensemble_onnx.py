"""An ensemble as an ONNX file: onnxruntime gives what PyTorch does."""

from pathlib import Path

import numpy as np
import pytest
from small_runs import arrays

from spectral import load_run
from spectral.exporting.onnx_file import LARGEST_DIFFERENCE, write_onnx
from spectral.runs.folder import RunFolder

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.mark.slow  # tracing takes seconds
def test_the_file_gives_the_probabilities_and_classes_of_the_folder(ensemble: Path, tmp_path: Path) -> None:
    """Its members have other inputs; of masked pixels the flux is not a number."""
    write_onnx(RunFolder(ensemble), tmp_path / "model.onnx")
    flux = arrays(num=9, seed=5)["flux"]
    mask = np.random.default_rng(0).random(flux.shape) < 0.1
    flux[mask] = np.nan
    folder, file = load_run(ensemble, device="cpu", precision="float32"), load_run(tmp_path / "model.onnx")
    np.testing.assert_allclose(
        file.predict_proba(flux, mask=mask), folder.predict_proba(flux, mask=mask), rtol=0, atol=LARGEST_DIFFERENCE
    )
    assert file.predict(flux, mask=mask).tolist() == folder.predict(flux, mask=mask).tolist()
    assert len(file.predictor.classifier.members) == 3
