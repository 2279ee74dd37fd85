"""No catalog takes the place of what it is made of, even with overwrite=true."""

from pathlib import Path

import pytest
from applied_runs import command

from spectral.errors import UserError

RUN, LAMOST = "run=run", ("data=lamost", "data.folder=survey", "data.catalog=c.csv")
TIANCHI = ("data=tianchi", "data.index=i.csv", "data.folder=texts")


@pytest.mark.parametrize(
    ("place", "whose", "words"),
    [
        ("a.csv", "data.path=a.csv", (RUN, "data=arrays", "data.path=a.csv")),
        ("a.fits", "data.path=a.fits", (RUN, "data=arrays", "data.path=a.fits")),
        ("b.parquet", "data.test_path=b.parquet", (RUN, "data=arrays", "data.path=a.npz", "data.test_path=b.parquet")),
        ("l.csv", "data.labels=l.csv", (RUN, "data=arrays", "data.path=a.npz", "data.labels=l.csv")),
        ("c.csv", "data.catalog=c.csv", (RUN, *LAMOST)),
        ("pack/catalog.parquet", "data.folder=pack", (RUN, "data=packed", "data.folder=pack")),
        ("i.csv", "data.index=i.csv", (RUN, *TIANCHI)),
        ("texts/7.txt", "data.folder=texts", (RUN, *TIANCHI, "format=csv")),
        ("run/predictions.parquet", "run=run", (RUN, "data=arrays", "data.path=a.npz")),
        ("run/snapshots/epoch-0004/predictions.parquet", "run=run", (RUN, "data=arrays", "data.path=a.npz")),
        ("run/trial.json", "run=run", (RUN, "data=arrays", "data.path=a.npz", "format=csv")),
        ("m.onnx", "run=m.onnx", ("run=m.onnx", "data=arrays", "data.path=a.npz", "format=csv")),
    ],
)
def test_a_file_of_the_run_or_of_the_data_is_never_replaced(
    place: str, whose: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("precious")
    Path("link.csv").symlink_to(path)
    for out in (place, f"../{tmp_path.name}/{place}", "link.csv"):
        with pytest.raises(UserError, match=rf"^out={out} is part of {whose}: give another out\.$"):
            command("predict", *words, f"out={out}", "overwrite=true")
    assert path.read_text() == "precious"


@pytest.mark.parametrize("name", ["model", "trial", "tracker"])
def test_nor_is_one_by_the_record_of_the_catalog(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = ("data=arrays", "data.path=a.npz")
    sentence = rf"out=run/{name} needs the place of run/{name}\.json, which is part of run=run"
    with pytest.raises(UserError, match=sentence):
        command("predict", RUN, *data, f"out=run/{name}", "format=csv", "overwrite=true")


def test_a_link_within_a_pack_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pack").mkdir()
    Path("elsewhere.parquet").touch()
    Path("pack/catalog.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(UserError, match=r"is part of data\.folder=pack"):
        command("predict", RUN, "data=packed", "data.folder=pack", "out=pack/catalog.parquet", "overwrite=true")


def test_other_files_in_the_folder_of_the_run_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="run=run is not a run folder"):  # the next thing that is looked at
        command("predict", RUN, "data=arrays", "data.path=a.npz", "out=run/new.csv")
