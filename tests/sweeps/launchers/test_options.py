"""The options of the launchers: mistakes are reported before anything starts, and the docs list every option."""

import dataclasses
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import command
from search_runs import REPOSITORY, arguments, finish, start
from slow_cases import slow_after

from spectral.errors import UserError
from sweeps.launchers.config import LocalConfig, RayConfig, SlurmConfig
from sweeps.launchers.ray import RayLauncher
from sweeps.launchers.slurm import SlurmLauncher
from sweeps.options import checked

CONFIGS: dict[str, Any] = {"local": LocalConfig, "ray": RayConfig, "slurm": SlurmConfig}
SCRIPT = REPOSITORY / "run.py"


@pytest.mark.parametrize(
    ("launcher", "option", "value", "allowed"),
    [
        ("local", "jobs_per_device", 0, "at least 1"),
        ("local", "memory_share", 1.5, "above 0 and at most 1"),
        ("local", "memory_share", 0.0, "above 0 and at most 1"),
        ("local", "threads_per_job", 0, "at least 1"),
        ("local", "time_limit_s", -1.0, "above 0"),
        ("local", "time_limit_s", float("nan"), "above 0"),
        ("local", "memory_limit_gb", -1.0, "above 0"),
        ("local", "grace_s", -1.0, "at least 0"),
        ("ray", "cpus_per_job", -1.0, "at least 0"),
        ("ray", "gpus_per_job", -1.0, "at least 0"),
        ("ray", "max_parallel", 0, "at least 1"),
        ("ray", "time_limit_s", 0.0, "above 0"),
        ("ray", "object_store_mb", 10, "at least 79"),
        ("slurm", "max_parallel", 0, "at least 1"),
        ("slurm", "timeout_min", 0, "at least 1"),
        ("slurm", "max_num_timeout", -1, "at least 0"),
        ("slurm", "signal_delay_s", -1, "at least 0"),
        ("slurm", "time_limit_s", -1.0, "above 0"),
        ("slurm", "grace_s", -1.0, "at least 0"),
        ("slurm", "cpus_per_task", 0, "at least 1"),
        ("slurm", "gpus_per_node", -1, "at least 0"),
        ("slurm", "mem_gb", 0.0, "above 0"),
        ("slurm", "poll_s", 0.0, "above 0"),
        ("slurm", "look_s", 0, "at least 1"),
    ],
)
def test_a_number_out_of_range_is_reported_in_one_sentence(
    launcher: str, option: str, value: float, allowed: str
) -> None:
    with pytest.raises(UserError) as error:
        checked(CONFIGS[launcher], {option: value})
    assert str(error.value) == f"hydra.launcher.{option}={value} is out of range: allowed is {allowed}."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"executor": "locla"},
            "hydra.launcher.executor=locla is not known: did you mean 'local'? allowed: .*",
        ),
        ({"pol_s": 1}, "hydra.launcher.pol_s is not known: did you mean 'poll_s'? allowed: additional, .*"),
        (
            {"timeout_min": 1},
            "hydra.launcher.signal_delay_s=90 is out of range: "
            "allowed is below the 60 s of hydra.launcher.timeout_min=1.",
        ),
    ],
)
def test_other_mistakes_are_reported(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        SlurmLauncher(**options)
    assert re.fullmatch(sentence.replace("?", r"\?"), str(error.value))


def test_ray_takes_no_share_above_a_whole_gpu() -> None:
    with pytest.raises(UserError, match=r"gpus_per_job=1\.5 is not allowed: a value above 1 must be a whole number\."):
        RayLauncher(gpus_per_job=1.5)


def test_missing_slurm_is_reported_when_the_launcher_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="hydra/launcher=slurm finds no srun on PATH"):
        SlurmLauncher()
    SlurmLauncher(executor="local")


def test_without_a_cluster_one_job_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would take all cores of this machine."""
    monkeypatch.setattr("sweeps.launchers.slurm._load_submitit", lambda: None)
    monkeypatch.setattr("sweeps.launchers.slurm.shutil.which", lambda name: name)
    assert [SlurmLauncher(executor=name).num_slots for name in ("slurm", "local")] == [64, 1]
    assert SlurmLauncher(executor="local", max_parallel=3).num_slots == 3


def test_null_and_the_ends_of_a_range_are_allowed() -> None:
    options = {"jobs_per_device": 1, "memory_share": 1.0, "time_limit_s": None, "grace_s": 0.0}
    assert vars(checked(LocalConfig, options)).items() >= options.items()


@pytest.mark.parametrize("launcher", CONFIGS)
def test_the_docs_list_every_option_and_no_other(launcher: str) -> None:
    page = (REPOSITORY / "docs" / "launchers.md").read_text()
    section = page.split(f"\n## {launcher}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    documented = re.findall(r"`(\w+)`", " ".join(first_cells))
    options = [item.name for item in dataclasses.fields(CONFIGS[launcher]) if item.name != "_target_"]
    assert sorted(documented) == sorted(options)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("time_limit_s=-1", "hydra.launcher.time_limit_s=-1.0 is out of range: allowed is above 0."),
        ("devices=[9]", "hydra.launcher.devices=[9]: CUDA device 9 does not exist; found: "),
    ],
)
def test_a_mistake_ends_the_sweep_before_its_study_is_made(option: str, message: str, tmp_path: Path) -> None:
    check_refused_in_this_process(tmp_path, f"hydra.launcher.{option}", message)


@pytest.mark.parametrize(("launcher", "module"), slow_after(1, [("ray", "ray"), ("slurm", "submitit")]))
def test_a_missing_extra_is_reported_before_the_study_is_made(
    launcher: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    check_refused_in_this_process(
        tmp_path, f"hydra/launcher={launcher}", f": python -m pip install -e '.[{launcher}]'."
    )


def test_an_unreachable_ray_is_reported_before_the_study_is_made(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    message = f"hydra.launcher.address={address} cannot be joined ([Errno 111] Connection refused): allowed is local, "
    check_refused_before_study(tmp_path, "hydra/launcher=ray", message, f"hydra.launcher.address={address}")


@pytest.mark.slow  # Ray takes seconds to start
def test_a_job_that_fits_no_node_of_ray_is_reported_before_the_study_is_made(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    message = (
        "hydra.launcher.cpus_per_job=9999 with gpus_per_job=0 fits no node of this Ray cluster: allowed is what one"
    )
    check_refused_before_study(
        tmp_path, "hydra/launcher=ray", message, "hydra.launcher.cpus_per_job=9999", num_lines_before=1
    )


def check_refused_in_this_process(tmp_path: Path, override: str, message: str) -> None:
    """Check that a command ends in one sentence and has written nothing."""
    study = tmp_path / "study"
    ended = command(SCRIPT, *arguments(study, override, "model.width=4,8", local=False), cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("error: hydra") and message in ended.stderr
    assert ended.stdout == "" and len(ended.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def check_refused_before_study(
    tmp_path: Path, override: str, message: str, *others: str, num_lines_before: int = 0
) -> None:
    """Check that a command ends in one sentence, after messages of Ray itself, and has written nothing."""
    process = start(tmp_path / "study", override, *others, "model.width=4,8", script=SCRIPT, local=False)
    output = finish(process)
    assert process.returncode == 2, output
    *before, last = output.splitlines()
    assert last.startswith("error: hydra") and message in last
    assert len(before) <= num_lines_before
    assert not (tmp_path / "study").exists()
