"""The notebook of the docs: what is stored of it came from one pass without an error, and it runs today."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from small_runs import REPOSITORY

NOTEBOOK = REPOSITORY / "docs" / "classify_from_python.ipynb"


def code_cells() -> list[dict[str, Any]]:
    return [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]


def test_the_stored_outputs_are_of_one_pass_without_an_error() -> None:
    cells = code_cells()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert kinds == {"stream", "display_data", "execute_result"}  # no error
    assert NOTEBOOK.stat().st_size < 300_000
    assert "\\u001b" not in NOTEBOOK.read_text()  # nothing was drawn as if on a terminal


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    (tmp_path / "docs").mkdir()
    for name in ("run.py", "conf"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    shutil.copy(NOTEBOOK, tmp_path / "docs")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    notebook = nbformat.read(tmp_path / "docs" / NOTEBOOK.name, as_version=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the kernel's own
        nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": tmp_path / "docs"}}).execute()
    assert (tmp_path / "outputs" / "runs" / "notebook" / "result.json").is_file()
