"""Records of a later version are read without the fields that it added."""

import json
from pathlib import Path

from loop_runs import FLOATS, open_study

from sweeps.study.controllers import Controller, Watch, any_alive
from sweeps.study.job_records import JobRecord, records_of


def test_a_job_record_with_more_fields_is_read() -> None:
    stored = {"seed_index": 1, "controller": "a", "began_s": 2.0, "energy_j": 3.5}
    assert records_of({"jobs": [stored]}) == [JobRecord(1, "a", 2.0)]


def test_a_controller_with_more_fields_is_seen_alive() -> None:
    name, stored = Controller.this().attribute()
    attributes = json.loads(json.dumps({name: {**stored, "user": "observer"}}))
    assert any_alive(attributes, lost_after_s=60)
    watch = Watch()
    watch.look(attributes)
    assert watch.is_alive(attributes, name.partition(":")[2], lost_after_s=60)


def test_an_identity_with_more_or_fewer_fields_still_matches_the_study(tmp_path: Path) -> None:
    study = open_study(tmp_path, FLOATS)
    identity = study.study.user_attrs["sweep"]
    for key in ("seed_key", "constraints", "search_overrides"):
        del identity[key]
    study.study.set_user_attr("sweep", {**identity, "priority": "high"})
    study.close()
    open_study(tmp_path, FLOATS).close()
