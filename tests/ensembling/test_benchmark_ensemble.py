"""The ensemble of the results page: of the runs that the table shows, not of those of an earlier command."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_runs import REPOSITORY, result

from sweeps.ensemble import command


def test_an_ensemble_of_other_runs_is_made_again(
    members: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    spec = importlib.util.spec_from_file_location("benchmark_results", REPOSITORY / "benchmarks" / "results.py")
    assert spec and spec.loader
    results = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(results)
    commands = []

    def run(words: list[str], **_: object) -> None:
        commands.append(words)
        assert command.main(words[3:]) == 0  # after python -m sweeps.ensemble

    monkeypatch.setattr(results, "subprocess", SimpleNamespace(run=run))
    for runs, num_made in ((members[:2], 1), (members[:2], 1), (members, 2)):
        assert results.make_ensemble(runs, tmp_path / "ensemble") == tmp_path / "ensemble"
        made = result(tmp_path / "ensemble")["ensemble"]
        assert made["runs"] == [str(path) for path in runs] and len(commands) == num_made
