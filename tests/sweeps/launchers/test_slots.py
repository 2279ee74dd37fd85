"""Devices and their shares; a stand-in on PATH replaces nvidia-smi."""

import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from spectral.errors import UserError
from sweeps.launchers.slots import find_cuda_devices, parse_listing, plan_slots

GIB = 2**30
TWO_GPUS = """\
GPU 0: NVIDIA H100 PCIe (UUID: GPU-aaaa-1)
GPU 1: NVIDIA H100 PCIe (UUID: GPU-bbbb-2)
"""
WITH_MIG = """\
GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
  MIG 3g.20gb     Device  0: (UUID: MIG-x-1)
  MIG 3g.20gb     Device  1: (UUID: MIG-x-2)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
"""


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{TWO_GPUS}END\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_listing_gives_gpus_or_their_mig_devices() -> None:
    assert parse_listing(TWO_GPUS) == ["GPU-aaaa-1", "GPU-bbbb-2"]
    assert parse_listing(WITH_MIG) == ["MIG-x-1", "MIG-x-2", "GPU-bbbb-2"]
    assert parse_listing("No devices were found\n") == []


@pytest.mark.parametrize(
    ("variable", "names"),
    [("2,3", ["2", "3"]), ("", []), ("-1", []), ("1,-1,2", ["1"]), ("GPU-ab, MIG-cd", ["GPU-ab", "MIG-cd"])],
)
def test_cuda_visible_devices_is_read_as_cuda_does(variable: str, names: list[str]) -> None:
    devices = find_cuda_devices({"CUDA_VISIBLE_DEVICES": variable})
    assert [device.visible for device in devices] == names
    assert [device.name for device in devices] == [f"cuda:{i}" for i in range(len(names))]


def test_slots_spread_over_devices_before_they_share_one(nvidia_smi: None) -> None:
    slots = plan_slots("auto", jobs_per_device=2)
    assert [slot.name for slot in slots] == ["cuda:0/0", "cuda:1/0", "cuda:0/1", "cuda:1/1"]
    assert [slot.environment()["CUDA_VISIBLE_DEVICES"] for slot in slots[:2]] == ["GPU-aaaa-1", "GPU-bbbb-2"]
    assert [slot.name for slot in plan_slots("auto")] == ["cuda:0", "cuda:1"]
    assert [slot.name for slot in plan_slots([1])] == ["cuda:1"]
    assert [slot.name for slot in plan_slots(["cuda:1", 0])] == ["cuda:1", "cuda:0"]
    assert [slot.name for slot in plan_slots(["GPU-bbbb-2"])] == ["cuda:1"]


@pytest.mark.parametrize(
    ("variable", "wanted", "visible"),
    [("1,0", [0], ["1"]), ("1,2", [0, 1], ["1", "2"]), ("3,GPU-ab", [0, "GPU-ab"], ["3", "GPU-ab"])],
)
def test_numbers_count_the_visible_devices(
    variable: str, wanted: list[object], visible: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert [slot.device.visible for slot in plan_slots(wanted)] == visible
    with pytest.raises(UserError, match=r"devices=\[3\]: CUDA device 3 does not exist; found: cuda:0, cuda:1"):
        plan_slots([3])


@pytest.mark.parametrize(("share", "jobs"), [(1.0, 1), (0.5, 2), (1 / 3, 3), (0.3, 3), (0.05, 20)])
def test_a_memory_share_sets_the_number_of_jobs_and_is_enforced_unless_alone(
    nvidia_smi: None, share: float, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    monkeypatch.delenv("PYTORCH_CUDA_ALLOC_CONF", raising=False)
    slots = plan_slots([0], memory_share=share)
    assert len(slots) == jobs
    assert slots[0].environment()["PYTORCH_ALLOC_CONF"] == f"per_process_memory_fraction:{share:g}"
    assert "PYTORCH_ALLOC_CONF" not in slots[0].environment(alone=True)


def test_options_of_the_allocator_are_kept(nvidia_smi: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTORCH_CUDA_ALLOC_CONF", raising=False)
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    environment = plan_slots([0], memory_share=0.5)[0].environment()
    assert environment["PYTORCH_ALLOC_CONF"] == "expandable_segments:True,per_process_memory_fraction:0.5"
    assert "PYTORCH_CUDA_ALLOC_CONF" not in environment


@pytest.mark.parametrize("options", ["expandable_segments:True", ""])
def test_a_memory_share_is_enforced_under_the_earlier_name_too(
    nvidia_smi: None, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch reads the earlier name first if it is set; the options of the user are then under both."""
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", options)
    (slot, _) = plan_slots([0], memory_share=0.5)
    limited = ",".join(filter(None, [options, "per_process_memory_fraction:0.5"]))
    environment = slot.environment()
    assert environment["PYTORCH_CUDA_ALLOC_CONF"] == environment["PYTORCH_ALLOC_CONF"] == limited
    assert "PYTORCH_CUDA_ALLOC_CONF" not in slot.environment(alone=True)


def test_options_under_both_names_of_the_allocator_stay_apart(
    nvidia_smi: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "backend:native")
    environment = plan_slots([0], memory_share=0.5)[0].environment()
    assert environment["PYTORCH_ALLOC_CONF"] == "expandable_segments:True,per_process_memory_fraction:0.5"
    assert environment["PYTORCH_CUDA_ALLOC_CONF"] == "backend:native,per_process_memory_fraction:0.5"


@pytest.mark.parametrize(("jobs", "threads"), [(1, 8), (2, 4), (3, 2), (16, 1)])
def test_cores_are_divided_among_slots(monkeypatch: pytest.MonkeyPatch, jobs: int, threads: int) -> None:
    monkeypatch.setattr("spectral.processes.num_cores", lambda: 8)
    slots = plan_slots("cpu", jobs_per_device=jobs)
    assert [slot.environment()["OMP_NUM_THREADS"] for slot in slots] == [str(threads)] * jobs
    assert slots[0].environment()["CUDA_VISIBLE_DEVICES"] == ""
    assert plan_slots("cpu", jobs, threads_per_job=5)[0].environment()["MKL_NUM_THREADS"] == "5"


def test_the_cpu_has_one_slot_per_core_if_memory_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spectral.processes.num_cores", lambda: 8)
    monkeypatch.setattr("sweeps.launchers.slots.available_bytes", lambda: 16 * GIB)
    assert len(plan_slots("cpu")) == 8
    assert len(plan_slots("cpu", threads_per_job=4)) == 2
    monkeypatch.setattr("sweeps.launchers.slots.available_bytes", lambda: 4 * GIB)
    assert len(plan_slots("cpu")) == 2


def test_pages_of_files_leave_the_cpu_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 GiB is free, and 15 GiB hold a survey's memory map."""
    monkeypatch.setattr("spectral.processes.num_cores", lambda: 8)
    monkeypatch.setattr(os, "sysconf", {"SC_AVPHYS_PAGES": 2**18, "SC_PAGE_SIZE": 2**12}.__getitem__)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(free=GIB, available=16 * GIB))
    monkeypatch.setattr("sweeps.launchers.memory._groups", lambda *_: [])
    assert len(plan_slots("cpu")) == 8


def test_without_cuda_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    slots = plan_slots("auto", 1)
    assert [slot.name for slot in slots] == ["cpu"]


@pytest.mark.parametrize(
    ("script", "driver", "warning"),
    [
        (None, False, None),
        (None, True, "No such file"),
        ("echo failed; exit 9", True, "exit status 9"),
        ("echo failed; exit 9", False, "exit status 9"),
        ("echo No devices were found", True, None),
    ],
)
def test_a_cuda_device_that_was_not_found_is_hidden_from_jobs_on_the_cpu(
    script: str | None,
    driver: bool,
    warning: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Otherwise the jobs of all cores would train on it at once. A warning says how to name it."""
    if script is not None:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("sweeps.launchers.slots.NVIDIA_DRIVER", tmp_path if driver else tmp_path / "none")
    monkeypatch.setattr("sweeps.launchers.slots.AMD_DRIVER", tmp_path / "none")
    (slot,) = plan_slots("auto", 1)
    assert slot.name == "cpu" and slot.environment()["CUDA_VISIBLE_DEVICES"] == ""
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == (warning is not None)
    assert warning is None or (warning in warnings[0] and "CUDA_VISIBLE_DEVICES=0,1" in warnings[0])


def test_a_device_of_rocm_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a device heeds CUDA_VISIBLE_DEVICES, and no nvidia-smi lists it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("sweeps.launchers.slots.AMD_DRIVER", tmp_path)
    (slot,) = plan_slots("auto", 1)
    assert slot.name == "cpu" and "CUDA_VISIBLE_DEVICES" not in slot.environment()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"devices": "gpu"}, "devices=gpu is not known"),
        ({"devices": []}, r"devices=\[\] is not known"),
        ({"devices": [0, 7]}, r"devices=\[0, 7\]: CUDA device 7 does not exist; found: cuda:0, cuda:1"),
        ({"devices": [0, "GPU-aaaa-1"]}, r"devices=\[0, 'GPU-aaaa-1'\] names cuda:0 twice: "),
        ({"devices": ["cuda:0", 0]}, r"devices=\['cuda:0', 0\] names cuda:0 twice: "),
    ],
)
def test_wrong_devices_are_reported_in_one_sentence(
    nvidia_smi: None, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=f"^hydra.launcher.{sentence}"):
        plan_slots(**options)  # type: ignore[arg-type]  # options of several types
