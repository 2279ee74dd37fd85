"""What a config names must be there, which is seen before torch is imported."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import REPOSITORY, composed

from spectral.availability import check_available
from spectral.errors import UserError


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("data=arrays data.path=no.npz", "data.path=no.npz is not a file."),
        ("data=arrays data.path=", "data.path is not set: it needs the path of a file."),
        ("data=arrays data.path=there.npy data.labels=no.csv", "data.labels=no.csv is not a file."),
        ("data=arrays data.path=there.npy data.test_path=thee.npy", "data.test_path=thee.npy is not a file: did you "),
        ("data=arrays data.path=spectra.fits", "data.path=spectra.fits is not a file"),
        ("data=tianchi data.index=there.npy data.folder=no", "data.folder=no is not a folder."),
        ("data=packed data.folder=there.npy", "data.folder=there.npy is not a folder"),
        (
            "device=cuda:1",
            "device=cuda:1 is not there for the jobs of this sweep: allowed are auto, cpu, cuda",
        ),
    ],
)
def test_what_is_not_there_is_named(
    overrides: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.npy").touch()
    config = composed(["run_dir=run", *overrides.split()])
    with pytest.raises(UserError) as raised:
        check_available(config, ["cpu", "cuda", "cuda:0"])
    assert str(raised.value).startswith(expected)


def test_a_device_that_only_torch_knows_of_is_left_to_it() -> None:
    check_available(composed(["run_dir=run", "device=cuda:7"]))


def test_missing_data_end_a_command_before_torch_is_imported(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); sys.argv = ['run.py', *sys.argv[1:]]\n"
        "import atexit; atexit.register(lambda: print('torch' in sys.modules))\n"
        f"import runpy; runpy.run_path({str(REPOSITORY / 'run.py')!r}, run_name='__main__')"
    )
    given = ["data=arrays", "data.path=/nope.csv"]
    ended = subprocess.run([sys.executable, "-c", code, *given], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "False\n")
    assert ended.stderr == "error: data.path=/nope.csv is not a file.\n"
