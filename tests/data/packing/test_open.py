"""What is known of data without packing it."""

from pathlib import Path

import numpy as np
from small_runs import composed

from spectral.configs.root import typed
from spectral.data.packing.open import current_fingerprints, open_survey


def write(path: Path, seed: int) -> None:
    draws = np.random.default_rng(seed)
    np.savez(path, flux=draws.normal(size=(12, 30)).astype("f4"), type=np.array(["star", "galaxy", "qso"] * 4))


def test_the_fingerprint_of_data_is_known_once_it_was_packed(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    config = composed(["data=arrays", f"data.path={path}", f"cache_dir={tmp_path / 'cache'}", "data.num_workers=1"])
    assert current_fingerprints(config) == []  # there is no such file
    write(path, 1)
    assert current_fingerprints(config) == [] and not (tmp_path / "cache").exists()
    experiment = typed(config)
    first = open_survey(experiment.data, Path(experiment.cache_dir))
    assert current_fingerprints(config) == [first.fingerprint]
    write(path, 2)
    changed = current_fingerprints(config)
    assert changed and first.fingerprint not in changed
    write(path, 1)
    assert first.fingerprint in current_fingerprints(config)
    path.unlink()
    assert current_fingerprints(config) == []


def test_the_fingerprint_of_a_pack_is_known_at_once(pack_folder: Path) -> None:
    config = composed(["data=packed", f"data.folder={pack_folder}"])
    survey = open_survey(typed(config).data, pack_folder)
    assert current_fingerprints(config) == [survey.fingerprint, survey.former_fingerprint]
