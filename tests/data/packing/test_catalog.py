"""The table of a pack."""

import pandas as pd
import pytest

from spectral.data.packing.catalog import count_reasons, entries_digest


@pytest.mark.parametrize(
    "now",
    [
        {"short_id": [None, "b"]},
        {"length_in_source": [7.5, 8.5], "class_index": [0, 1], "length": [12, 12]},
    ],
)
def test_what_earlier_versions_did_not_keep_changes_no_fingerprint(now: dict[str, list[object]]) -> None:
    """They wrote their own columns over those of the source that were called so."""
    source = pd.DataFrame({"id": ["a", "b-dark"], "label": ["star", "qso"]})
    own = {name: now[name] for name in ("length", "class_index") if name in now}
    then, other = source.assign(**own), source.assign(**own, snr=[1.0, 2.0])
    digest = entries_digest(then, ["star", "qso"])
    assert entries_digest(source.assign(**now), ["star", "qso"]) == digest != entries_digest(other, ["star", "qso"])


def test_reasons_are_counted_without_details_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [
        ("7", "missing file: 7.fits"),
        ("8", "missing file: 8.fits"),
        ("a:b", "twin of a:b in x: y"),
        ("7", "17 7"),
    ]
    skipped = pd.DataFrame(reasons, columns=["id", "reason"])
    assert count_reasons(skipped) == {"missing file": 2, "twin of <id> in x": 1, "17 <id>": 1}
    # Of a catalog of a whole survey millions may be missing, and a pattern takes 80 microseconds.
    monkeypatch.setattr("spectral.data.packing.catalog.re", None)
    assert count_reasons(skipped[:2]) == {"missing file": 2}
