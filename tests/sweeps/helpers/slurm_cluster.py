"""A real SLURM on this machine alone: its daemons in a folder, without systemd, cgroups or accounting."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from waiting import await_that

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
CONFIG = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
# Between SIGTERM and SIGKILL.
KillWait=2
ReturnToService=2
# More CPUs than there are: jobs wait more than they compute.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class NoSlurm(Exception):  # noqa: N818  (a reason to skip)
    """Raised if SLURM is not installed, or does not start here."""


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """A cluster of one node with four CPUs; gives the environment in which SLURM's commands find it.

    Raises:
        NoSlurm: with the reason.
    """
    missing = [program for program in PROGRAMS if _where(program) is None]
    if missing:
        raise NoSlurm(f"SLURM is not installed: {', '.join(missing)} not found (Debian: slurm-wlm, munge)")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    _write_config(folder)
    environment = {"SLURM_CONF": str(folder / "slurm.conf")}
    with ExitStack() as stack:
        _start_munged(folder, stack)
        for program in ("slurmctld", "slurmd"):
            stack.enter_context(_running([str(_where(program)), "-D"], folder, environment))
        _await_idle_node(folder, environment)
        try:
            yield environment
        finally:
            _end_all_jobs(environment)


def slurm(environment: dict[str, str], *command: str) -> str:
    """The output of one of SLURM's commands."""
    return subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True).stdout


def _where(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin")


def _write_config(folder: Path) -> None:
    ports = _free_port(), _free_port()
    text = CONFIG.format(
        host=socket.gethostname().partition(".")[0],
        user=getpass.getuser(),
        folder=folder,
        controller_port=ports[0],
        node_port=ports[1],
    )
    (folder / "slurm.conf").write_text(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_munged(folder: Path, stack: ExitStack) -> None:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    files = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
    options = [f"--{option}={folder / name}" for option, name in files.items()]
    # --force: the folder is a temporary one, whose parents others may write to.
    command = [str(_where("munged")), "--foreground", "--force", f"--key-file={key}", *options]
    stack.enter_context(_running(command, folder, {}))
    with _or_no_slurm("munged", folder / "munged.out"):
        await_that((folder / "munge.socket").exists)


@contextmanager
def _running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    log = folder / f"{Path(command[0]).name}.out"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_idle_node(folder: Path, environment: dict[str, str]) -> None:
    def state() -> str:
        asked = ["sinfo", "--noheader", "--format=%T"]
        return subprocess.run(asked, env=os.environ | environment, capture_output=True, text=True).stdout.strip()

    with _or_no_slurm("SLURM", folder / "slurmctld.out", folder / "slurmd.out"):
        await_that(lambda: state() == "idle")


@contextmanager
def _or_no_slurm(what: str, *logs: Path) -> Iterator[None]:
    """Skip what is waited for in vain."""
    try:
        yield
    except AssertionError:
        raise NoSlurm(f"{what} does not start: " + "\n".join(log.read_text()[-500:] for log in logs)) from None


def _end_all_jobs(environment: dict[str, str]) -> None:
    """End all jobs: slurmd leaves their processes running when it ends."""
    slurm(environment, "scancel", "--me")
    await_that(lambda: not slurm(environment, "squeue", "--noheader"))
