"""A survey's folder or pattern is the same survey however it is spelled, also in what earlier versions have stored."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from reader_cases.lamost import LamostImageCase
from survey_tests import few_spectra

from spectral.configs.data import GridConfig, readers
from spectral.configs.survey_files import LamostConfig
from spectral.data.packing.pack import cache_folder, open_or_pack, pack
from spectral.data.packing.parts import finished_spans
from spectral.data.packing.steps import Packing
from spectral.data.packing.stored_plan import plan_now
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.errors import UserError

FOLDERS = ("dr10/spectra", "dr10/spectra/", "./dr10/spectra", "dr10/../dr10/spectra", "{here}/dr10/spectra", "linked")
PATTERNS = ("dr10/spectra/*/spec-*.fits", "./dr10//spectra/*/spec-*.fits", "{here}/dr10/spectra/*/spec-*.fits")
FILES = tuple(f"{folder.rstrip('/')}/plan0/spec-55862-B0000_sp01-001.fits" for folder in FOLDERS)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    LamostImageCase().write(tmp_path / "dr10", few_spectra(4))
    (tmp_path / "linked").symlink_to("dr10/spectra")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(spelled: str, here: Path) -> LamostConfig:
    options: Any = {"folder": spelled.format(here=here), "num_workers": 1, "rows_per_part": 1}
    return LamostConfig(grid=GridConfig("log", 4000.0, 4020.0, 1e-4), **options)


def opened(spelled: str, here: Path) -> SurveyFilesReader:
    return readers.build(config(spelled, here), cache_dir=here / "cache")


def as_before(plan: dict[str, Any], spelled: str) -> dict[str, Any]:
    """A plan as versions wrote it that kept data.folder as it was spelled."""
    return plan | {"settings": plan["settings"] | {"pattern": spelled}}


@pytest.mark.parametrize("spellings", [FOLDERS, PATTERNS, FILES], ids=["folder", "pattern", "file"])
def test_it_is_one_survey_however_it_is_spelled(here: Path, spellings: tuple[str, ...]) -> None:
    made = [opened(spelled, here) for spelled in spellings]
    assert all(reader.settings() == made[0].settings() for reader in made)
    assert all(reader.fingerprint() == made[0].fingerprint() for reader in made)
    folders = {cache_folder(opened(each, here), config(each, here), "c") for each in (*spellings, *FOLDERS[:1])}
    assert len(folders) == (1 if spellings == FOLDERS else 2)


@pytest.mark.parametrize("spelled", [*FOLDERS, *PATTERNS, *FILES])
def test_stored_settings_are_read_as_today_s(here: Path, spelled: str) -> None:
    settings = dict(opened(spelled, here).settings())
    before = settings | {"pattern": spelled.format(here=here)}
    assert plan_now({"settings": before}) == plan_now({"settings": settings}) == {"settings": settings}


def test_a_stopped_pack_resumes_under_another_spelling(here: Path) -> None:
    stopped = Packing(opened(FOLDERS[0], here), config(FOLDERS[0], here), here / "pack")
    stopped.read_catalog()
    stopped.begin()
    stopped.make_parts(2, 0)
    resumed = Packing(opened(FOLDERS[1], here), config(FOLDERS[1], here), here / "pack")
    resumed.read_catalog()
    resumed.begin()
    assert finished_spans(resumed.building.parts) == [(0, 1), (1, 2)]
    assert len(pack(opened(FOLDERS[4], here), config(FOLDERS[4], here), here / "pack", progress=False)) == 4
    pack(opened(FOLDERS[2], here), config(FOLDERS[2], here), here / "pack", progress=False)
    root = re.escape(str(here / "dr10/spectra"))
    said = rf"packed with folder={root}, this one has folder={root}/\*/spec-\*\.fits; give"
    with pytest.raises(UserError, match=said):
        pack(opened(PATTERNS[0], here), config(PATTERNS[0], here), here / "pack", progress=False)


@pytest.mark.parametrize("spelled", [FOLDERS[1], FOLDERS[4], PATTERNS[1], FILES[0]])
def test_a_pack_of_earlier_versions_stays_in_use_in_the_cache(here: Path, spelled: str) -> None:
    survey = open_or_pack(opened(spelled, here), config(spelled, here), here / "cache", progress=False)
    folder = here / "cache" / "lamost-0123456789ab"
    assert survey.folder is not None
    survey.folder.rename(folder)
    about = json.loads((folder / "survey.json").read_text())
    about["plan"] = as_before(about["plan"], spelled.format(here=here))
    (folder / "survey.json").write_text(json.dumps(about))
    again = open_or_pack(opened(spelled, here), config(spelled, here), here / "cache", progress=False)
    assert again.folder == folder and json.loads((folder / "survey.json").read_text()) == about
    assert cache_folder(opened(spelled, here), LamostConfig(dtype="float16"), here / "cache") != folder


def test_a_pack_that_an_earlier_version_has_begun_is_resumed(here: Path) -> None:
    begun = Packing(opened(FOLDERS[0], here), config(FOLDERS[0], here), here / "cache" / "lamost-0123456789ab")
    begun.read_catalog()
    begun.begin()
    begun.make_parts(2, 0)
    plan = as_before(begun.plan, FOLDERS[0])
    digest = hashlib.blake2b(json.dumps(plan, sort_keys=True).encode(), digest_size=6).hexdigest()
    begun.building.parts.rename(begun.building.root / f"parts-{digest}")
    (begun.building.root / "plan.json").write_text(json.dumps(plan))
    folder = cache_folder(opened(FOLDERS[0], here), config(FOLDERS[0], here), here / "cache")
    assert folder == begun.folder
    resumed = Packing(opened(FOLDERS[0], here), config(FOLDERS[0], here), folder)
    resumed.begin()
    assert finished_spans(resumed.building.parts) == [(0, 1), (1, 2)]
