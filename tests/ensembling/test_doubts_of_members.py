"""What is said against the scores of a member is said against those of its ensemble."""

import json
import shutil
from pathlib import Path

from small_runs import result

from spectral.ensembling.make import EnsembleOptions, make_ensemble


def test_doubts_of_a_member_stay_with_it_in_the_ensemble(members: list[Path], tmp_path: Path) -> None:
    member, doubt = shutil.copytree(members[2], tmp_path / "member"), "init=x has another split."
    content = json.loads((member / "result.json").read_text())
    (member / "result.json").write_text(json.dumps(content | {"init": {"folder": "x", "doubt": doubt}}))
    make_ensemble([members[0], member], tmp_path / "out", EnsembleOptions(select="all"))
    first, second = result(tmp_path / "out")["ensemble"]["members"]
    assert "doubt" not in first and second["doubt"] == doubt
