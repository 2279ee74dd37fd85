"""The slots of a machine: its CUDA devices or its cores, divided among jobs.

This module does not import torch: devices are found with CUDA_VISIBLE_DEVICES and nvidia-smi.
"""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeps.errors import first_line, user_error
from sweeps.launchers.memory import available_bytes

log = logging.getLogger(__name__)

CPU = "cpu"
AMD_DRIVER = Path("/dev/kfd")  # of ROCm, which nvidia-smi does not know, and which heeds CUDA_VISIBLE_DEVICES too
NVIDIA_DRIVER = Path("/dev/nvidiactl")  # also in a container that was given a device, but has no nvidia-smi
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Options of PyTorch's allocator: the name, and the earlier one, which PyTorch still reads first for those of CUDA.
ALLOCATOR_OPTIONS, ALLOCATOR_OPTIONS_OF_CUDA = "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"
# Memory of a worker with PyTorch and a small network; limits the slots of machines with many cores and little memory.
BYTES_PER_CPU_SLOT = 2 * 2**30


@dataclass(frozen=True)
class Device:
    """A CUDA device, or the CPU."""

    name: str  # cuda:0, cpu
    visible: str | None = None  # its CUDA_VISIBLE_DEVICES; None leaves the variable unchanged


# Its jobs see no CUDA device, also none that was not found here: all of them would train on that one at once.
NO_CUDA = Device(CPU, visible="")


@dataclass(frozen=True)
class Slot:
    """A device, or a share of one, for one job at a time."""

    name: str
    device: Device
    num_threads: int
    memory_share: float | None = None

    def environment(self, *, alone: bool = False) -> dict[str, str]:
        """Environment variables of a worker, in addition to those of the controller.

        Args:
            alone: the worker has the device to itself, with all its memory.
        """
        changed = {name: str(self.num_threads) for name in THREAD_VARIABLES}
        if self.device.visible is not None:
            changed["CUDA_VISIBLE_DEVICES"] = self.device.visible
        if self.memory_share is not None and not alone:
            changed |= _limit_memory(self.memory_share)
        return changed


def _limit_memory(share: float) -> dict[str, str]:
    """The allocator's options with a limit of its memory; the options of the user are kept."""
    given = {name: os.environ[name] for name in (ALLOCATOR_OPTIONS, ALLOCATOR_OPTIONS_OF_CUDA) if name in os.environ}
    given.setdefault(ALLOCATOR_OPTIONS, given.get(ALLOCATOR_OPTIONS_OF_CUDA, ""))
    limit = f"per_process_memory_fraction:{share:g}"
    return {name: f"{options},{limit}" if options else limit for name, options in given.items()}


def plan_slots(
    devices: Any = "auto",
    jobs_per_device: int | None = None,
    memory_share: float | None = None,
    threads_per_job: int | None = None,
) -> list[Slot]:
    """The slots of this machine; arguments as in LocalConfig.

    Raises:
        UserError: a device does not exist or is named twice.
    """
    from spectral.processes import num_cores

    chosen = choose_devices(devices)
    on_cpu = chosen[0].name == CPU
    cores = num_cores()
    if jobs_per_device is None:
        # 1e-9 allows for rounding: three jobs with a share of 1/3 each fit.
        jobs_per_device = _cpu_jobs(cores, threads_per_job) if on_cpu else int(1 / (memory_share or 1) + 1e-9)
    num_threads = threads_per_job or max(1, cores // (jobs_per_device * len(chosen)))
    share = None if on_cpu else memory_share
    return [
        Slot(device.name if jobs_per_device == 1 else f"{device.name}/{number}", device, num_threads, share)
        for number in range(jobs_per_device)
        for device in chosen
    ]


def choose_devices(wanted: Any = "auto") -> list[Device]:
    """The devices that `devices=` names: auto, cpu, or a list of numbers, of names such as cuda:0, and of UUIDs."""
    if wanted == "auto":
        return find_cuda_devices() or [Device(CPU) if AMD_DRIVER.exists() else NO_CUDA]
    if wanted == CPU:
        return [NO_CUDA]
    if isinstance(wanted, str) or not isinstance(wanted, Sequence) or not wanted:
        raise user_error(f"hydra.launcher.devices={wanted} is not known: allowed are auto, cpu, [0,1,...].")
    found = find_cuda_devices()
    # A number is that of cuda:N, also if CUDA_VISIBLE_DEVICES holds numbers, which are those of all devices.
    by_name = {name: d for d in found for name in (d.name, d.name.removeprefix("cuda:"))}
    by_name |= {d.visible: d for d in found if d.visible and not d.visible.isdecimal()}
    chosen: list[Device] = []
    for name in map(str, wanted):
        if name not in by_name:
            there = ", ".join(device.name for device in found) or "none"
            raise user_error(
                f"hydra.launcher.devices={list(wanted)}: CUDA device {name} does not exist; found: {there}."
            )
        if by_name[name] in chosen:
            raise user_error(
                f"hydra.launcher.devices={list(wanted)} names {by_name[name].name} twice: "
                "hydra.launcher.jobs_per_device=2 runs two jobs there."
            )
        chosen.append(by_name[name])
    return chosen


def find_cuda_devices(environment: Mapping[str, str] = os.environ) -> list[Device]:
    """The CUDA devices, numbered as in CUDA_VISIBLE_DEVICES if that is set, else as by nvidia-smi.

    Workers get the UUID of a device, since CUDA numbers devices differently from nvidia-smi. If MIG divides a device,
    each part counts as a device.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    names = _ask_nvidia_smi() if visible is None else _parse_visible(visible)
    return [Device(f"cuda:{number}", name) for number, name in enumerate(names)]


def _parse_visible(variable: str) -> list[str]:
    """Read the variable as CUDA does: entries after the first invalid one are not visible."""
    names: list[str] = []
    for name in (part.strip() for part in variable.split(",")):
        if not re.fullmatch(r"\d+|(GPU|MIG)-.+", name):
            break
        names.append(name)
    return names


def _ask_nvidia_smi() -> list[str]:
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        if not isinstance(error, FileNotFoundError) or NVIDIA_DRIVER.exists():
            log.warning(
                "No CUDA device is used, since nvidia-smi failed (%s): if there are devices, name them in front of the "
                "command, as in CUDA_VISIBLE_DEVICES=0,1.",
                first_line(error).rstrip("."),
            )
        return []
    return parse_listing(listing)


def parse_listing(listing: str) -> list[str]:
    """UUIDs from `nvidia-smi -L`: of each GPU, or of its MIG devices if it has any."""
    names: list[str] = []
    for kind, uuid in re.findall(r"^\s*(GPU|MIG)\b.*\(UUID: (\S+)\)", listing, flags=re.MULTILINE):
        if kind == "MIG" and names and names[-1].startswith("GPU-"):
            names.pop()
        names.append(uuid)
    return names


def seen_by_jobs(num_cuda: int) -> list[str]:
    """What a job on this machine sees, in torch's names.

    Args:
        num_cuda: CUDA devices of its slot, which are numbered from 0 there.
    """
    cuda = ["cuda", *(f"cuda:{number}" for number in range(num_cuda))] if num_cuda else []
    return [CPU, *cuda, *(["mps"] if sys.platform == "darwin" else [])]


def _cpu_jobs(cores: int, threads_per_job: int | None) -> int:
    by_cores = cores // (threads_per_job or 1)
    return max(1, min(by_cores, available_bytes() // BYTES_PER_CPU_SLOT))
