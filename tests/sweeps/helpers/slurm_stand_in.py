#!/usr/bin/env python3
"""Stand-in for sbatch, srun, squeue, scancel and scontrol on one machine, by the name under which it is called.

A job is a folder in $SLURM_STAND_IN: its script, state, the process id of its step; `requeue` if it was requeued.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

JOBS = Path(os.environ["SLURM_STAND_IN"])


def sbatch(script: str) -> None:
    if "SLURM_STAND_IN_REFUSES" in os.environ:
        sys.exit(f"sbatch: error: {os.environ['SLURM_STAND_IN_REFUSES']}")
    number = 1 + len(list(JOBS.iterdir()))
    job = JOBS / str(number)
    job.mkdir()
    (job / "script.sh").write_text(Path(script).read_text())
    (job / "state").write_text("PENDING")
    away = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([sys.executable, __file__, "attend", str(job)], **away, start_new_session=True)
    print(f"Submitted batch job {number}")


def attend(job: Path) -> None:
    """The batch process: run the script again as long as it is requeued."""
    environment = os.environ | {"SLURM_JOB_ID": job.name, "SLURM_PROCID": "0", "SLURM_NTASKS": "1"}
    while True:
        (job / "state").write_text("RUNNING")
        code = subprocess.call(["bash", job / "script.sh"], env=environment)
        if not (job / "requeue").exists():
            break
        (job / "requeue").unlink()
        (job / "state").write_text("REQUEUED")
    if (job / "state").read_text() == "RUNNING":
        (job / "state").write_text("COMPLETED" if code == 0 else "FAILED")


def srun(*arguments: str) -> None:
    options, command = list(arguments), []
    while options and options[0].startswith("-"):
        name = options.pop(0)
        if name in ("--output", "--error"):
            path = options.pop(0).replace("%j", os.environ["SLURM_JOB_ID"]).replace("%t", "0")
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(file, 1 if name == "--output" else 2)
    command = options
    (JOBS / os.environ["SLURM_JOB_ID"] / "pid").write_text(str(os.getpid()))
    os.execvp(command[0], command)


def squeue(*_: str) -> None:
    for job in JOBS.iterdir():
        print(f"{job.name}|{(job / 'state').read_text()}|here")


def scancel(number: str, option: str = "", name: str = "") -> None:
    pid = int((JOBS / number / "pid").read_text())
    if option == "--signal":
        os.kill(pid, getattr(signal, f"SIG{name.removeprefix('SIG')}"))
        return
    (JOBS / number / "state").write_text("CANCELLED")
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)


def scontrol(_: str, number: str) -> None:
    """Requeue a job. SLURM ends the processes of the job, and this may be one of them."""
    (JOBS / number / "requeue").touch()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    if sys.argv[1] == "attend":
        attend(Path(sys.argv[2]))
    else:
        globals()[Path(sys.argv[0]).name](*sys.argv[1:])
