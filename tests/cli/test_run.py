"""The command line, from any folder: how a command ends, and what it prints."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import command
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from slow_cases import slow_after
from small_runs import OVERRIDES, REPOSITORY, composed, result

from spectral.cli.run import as_job, run_command
from spectral.configs.root import typed
from spectral.errors import UserError

Overrides = Callable[..., list[str]]
SCRIPT = REPOSITORY / "run.py"
QUOTED = shlex.quote(str(SCRIPT))  # as a shell takes it


# How a command ends: in this process, but for one of each kind. A new process takes seconds.


def process(*command: str, cwd: Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended


@pytest.mark.parametrize(
    ("overrides", "expected"),
    slow_after(
        5,
        [
            ("model.width=abc", "error: model.width=abc has the wrong type: allowed is an integer.\n"),
            (
                "seed=1,2",
                "error: seed=1,2 has several values, which need -m; write a list in brackets, as in [1,2].\n",
            ),
            (
                "sweep=fractions",
                f"error: sweep=fractions needs -m to search: python {QUOTED} -m sweep=fractions\n",
            ),
            ("run_dir=/dev/null", "error: run_dir=/dev/null cannot be made: File exists.\n"),
            (
                "model=null",
                "error: Config group override must be a string or a list. Got NoneType: a config group takes the name "
                "of a part, as in model=fcn.\n",
            ),
            ("seed=-1", "error: seed=-1 is out of range: allowed is at least 0 and at most 2147483647.\n"),
            (
                "+sweep.space.seed=[1,2]",
                f"error: +sweep.space.seed=[1,2] needs -m to search: python {QUOTED} -m '+sweep.space.seed=[1,2]'\n",
            ),
            ("run_dir=", "error: run_dir= is not a folder: give its path, or leave run_dir out.\n"),
        ],
    ),
)
def test_a_mistake_ends_the_command_with_its_sentence_alone(overrides: str, expected: str, tmp_path: Path) -> None:
    ended = command(SCRIPT, overrides, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", expected)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not left and not list(tmp_path.glob("outputs/runs/*"))


@pytest.mark.parametrize("flag", [["--cfg", "job"], ["--info", "config"]])
def test_flags_of_which_one_alone_is_possible_are_named(flag: list[str], tmp_path: Path) -> None:
    ended = command(REPOSITORY / "run.py", "-m", "sweep=widths", *flag, cwd=tmp_path)
    assert ended.returncode == 2 and ended.stderr.startswith("error: -m, --run, --cfg and --info exclude one another")


def test_a_mistake_found_in_the_data_ends_the_command_without_a_folder(tmp_path: Path) -> None:
    ended = command(SCRIPT, "data=arrays", "data.path=no.npz", "run_dir=run", cwd=tmp_path)
    assert (
        ended.returncode == 2
        and ended.stdout == ""
        and ended.stderr.splitlines()[-1] == "error: data.path=no.npz is not a file."
    )
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "expected"),
    slow_after(
        3,
        [
            (("--help",), ("python run.py experiment=debug", "model: ", "num_threads: null")),
            (("--cfg", "job"), ("macro_f1", "widths: null", "stages:")),
            (("model=fcn", "--info"), ("Defaults Tree", "hydra/typed/model/fcn")),
            (("--info",), ("Defaults Tree", "hydra/typed/model/reference")),
        ],
    ),
)
def test_help_and_config_are_printed_without_a_run(
    flags: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path
) -> None:
    ended = command(SCRIPT, *flags, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    for words in expected:
        assert words in ended.stdout
    assert not list(tmp_path.iterdir())


def test_help_begins_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra alone copies the typed configs for each of some hundred groups: 16,000 nodes, which takes seconds."""
    copies: list[DictConfig] = []
    copy_node = DictConfig.__deepcopy__
    monkeypatch.setattr(DictConfig, "__deepcopy__", lambda node, memo: copies.append(node) or copy_node(node, memo))
    assert command(SCRIPT, "--help", cwd=tmp_path).returncode == 0
    assert len(copies) < 2_000


def test_a_run_on_the_embedded_survey_logs_what_it_does_and_what_to_try_next(tmp_path: Path) -> None:
    small = [option for option in OVERRIDES if not option.startswith("schedule.stages.0.epochs")]
    survey = ["data.num_spectra=400", "data.num_workers=1", "cache_dir=cache"]
    given = (*small, *survey, "schedule.stages.0.epochs=2", "run_dir=run")
    ended = command(SCRIPT, *given, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    output = ended.stdout
    assert "Training for 2 epochs of 4 steps; the weights of the best val/macro_f1 are kept." in output + ended.stderr
    assert re.search(r"epoch   1/2 .* 0:00:\d\d left\n", output)
    after = output[output.index("What to try next:") :]
    shown = re.findall(r"^  python (\S+ .*?)  ", after, re.M)
    assert [line.split()[0] for line in shown] == ["run.py", "-m", "run.py"]
    for line in shown:
        if line.startswith("run.py"):
            typed(composed([word for word in line.split()[1:] if word != "-m"]))


@pytest.mark.slow
def test_a_multirun_from_a_folder_with_spaces_makes_one_run_folder_per_job(pack_folder: Path, tmp_path: Path) -> None:
    here = tmp_path / "a folder, with spaces"
    here.mkdir()
    overrides = [override for override in OVERRIDES if not override.startswith("model.width")]
    # Each worker imports torch: one is enough. The report has tests of its own.
    quick = ("hydra.launcher.jobs_per_device=1", "sweep.report=false")
    given = ("-m", "data=packed", f"data.folder={pack_folder}", "run_dir=many runs", "model.width=2,3", *quick)
    ended = command(SCRIPT, *given, *overrides, cwd=here)
    assert ended.returncode == 0, ended.stderr
    folders = [here / "many runs" / str(number) for number in (0, 1)]
    widths = [OmegaConf.load(folder / "config.yaml").model.width for folder in folders]
    assert widths == [2, 3]
    assert result(folders[0])["num_parameters"] < result(folders[1])["num_parameters"]
    assert OmegaConf.load(folders[0] / "config.yaml").run_dir == str(folders[0])


@pytest.mark.parametrize(
    ("override", "sentence"),
    slow_after(
        2,
        [
            ("seed=${oc.env:NOT_SET}", "seed holds an interpolation, ${...}, that has no value: environment variable"),
            (f"run_dir={'a' * 300}", f"the name {'a' * 40}... has 300 characters, which is too long for a file."),
            ("seed=${seed}", "seed holds an interpolation, ${...}, that has no value: it refers to itself."),
            ("seed=${nope:1}", "seed holds an interpolation, ${...}, that has no value: unsupported"),
        ],
    ),
)
def test_values_that_only_the_end_shows_to_be_wrong_are_one_sentence(
    override: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    ended = command(SCRIPT, "experiment=debug", override, cwd=tmp_path)
    assert ended.returncode == 2 and ended.stderr.startswith(f"error: {sentence}")
    assert len(ended.stderr.splitlines()) == 1


def test_the_errors_of_single_commands_do_not_mention_sweeps(tmp_path: Path) -> None:
    """evaluate, predict and pack run once; the hints of run.py about searches are no help there."""
    ended = process("-m", "spectral.evaluate", "run=nowhere", "on=test,validation", cwd=tmp_path, code=2)
    message = "error: on=test,validation has several values: write a list in brackets, as in [1,2].\n"
    assert (ended.stdout, ended.stderr) == ("", message)


def test_a_mistake_is_one_sentence_after_its_working_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = SimpleNamespace(runtime=SimpleNamespace(output_dir=str(tmp_path / "run")), mode=RunMode.RUN)
    monkeypatch.setattr(HydraConfig, "get", lambda: job)

    def main(config: DictConfig) -> None:
        (tmp_path / "run").rmdir()  # as the run folder does with what it did not need
        raise UserError("data.path=rel.npz is not a file.")

    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(SystemExit) as caught:
        as_job(main)(DictConfig({}))
    assert caught.value.code == 2 and "data.path=rel.npz is not a file." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "a.csv"), "a.csv cannot be read or written: Permission denied."),
        (IsADirectoryError(21, "Is a directory", "splits/.lock"), "splits/.lock is a folder, not a file."),
        (IsADirectoryError(21, "Is a directory", ".m.part", None, "m.json"), "m.json is a folder, not a file."),
    ],
)
def test_a_file_that_cannot_be_opened_is_one_sentence(
    error: OSError, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectral.cli.run.raise_on_interrupt", lambda: None)  # pytest has its own

    def fail() -> None:
        raise error

    with pytest.raises(SystemExit):
        run_command(fail)
    assert capsys.readouterr().err == f"error: {said}\n"
