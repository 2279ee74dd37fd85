"""What counts as one candidate of an ensemble."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from spectral.ensembling.candidates import candidates_of
from spectral.ensembling.runs import FinishedRun


def test_folds_are_one_candidate_unless_what_is_computed_differs(members: list[Path]) -> None:
    runs = [FinishedRun.open(members[place]) for place in (0, 2)]

    def num_candidates(*data_of_folds: dict[str, Any]) -> int:
        folds = [
            replace(run, config=runs[0].config | {"split": {"name": "kfold", "fold": fold}, "data": data})
            for fold, (run, data) in enumerate(zip(runs, data_of_folds, strict=True))
        ]
        return len(candidates_of(folds))

    assert num_candidates({"num_workers": 1}, {"num_workers": 4, "rows_per_part": 9}) == 1
    assert num_candidates({"limit": None}, {"limit": 9}) == 2
