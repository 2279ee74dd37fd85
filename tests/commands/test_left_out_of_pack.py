"""What packing left out, in the commands that apply a run to the pack."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from applied_runs import ON_CPU, command, evaluate, with_bad_spectra
from small_runs import result

REASONS = {"flux not finite": 2, "no good pixel": 1}  # of with_bad_spectra


@pytest.fixture
def pack(spectra: Callable[..., Path], tmp_path: Path) -> str:
    """A pack of 47 spectra, 4 of them without a label, from which 3 were left out; as data of a command."""
    content = with_bad_spectra()
    content["label"][:5] = ""  # row 3 is left out
    source = ("data=arrays", f"data.path={spectra(**content)}", "data.on_bad=skip", "data.nan=skip")
    command("pack", *source, "data.num_workers=1", f"out={tmp_path / 'pack'}", f"cache_dir={tmp_path / 'cache'}")
    return f"data.folder={tmp_path / 'pack'}"


def test_predictions_from_a_pack_count_it(
    finished: Path, pack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cat.csv"
    command("predict", f"run={finished}", "data=packed", pack, f"out={out}", *ON_CPU)
    shown = capsys.readouterr().out
    assert "Note: The pack left out 3 of 50 spectra: 2 flux not finite, 1 no good pixel. They have no row;" in shown
    assert json.loads((tmp_path / "cat.csv.json").read_text())["left_out_of_pack"] == REASONS


def test_an_evaluation_counts_it_and_spectra_without_a_label(
    finished: Path, pack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores"
    evaluate(finished, "data=packed", pack, f"out={out}")
    sentence = "not scored: 4 without a label, 3 that packing left out (2 flux not finite, 1 no good pixel)"
    assert sentence in capsys.readouterr().out.splitlines()
    assert result(out)["survey"]["skipped"] == REASONS
