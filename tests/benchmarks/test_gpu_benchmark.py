"""The benchmark of a GPU, as far as it runs on a CPU."""

import os
import re
import runpy
import subprocess
import sys

import pytest
from small_runs import REPOSITORY

BENCHMARK = REPOSITORY / "benchmarks" / "gpu.py"


def test_operations_are_counted_also_where_the_native_kernel_runs() -> None:
    benchmark = runpy.run_path(str(BENCHMARK))
    assert benchmark["flops_of_spectrum"](benchmark["COMPACT"], "cpu") > 1e6


@pytest.mark.slow
def test_a_quick_run_on_the_cpu_ends_with_the_best_number_of_jobs() -> None:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, str(BENCHMARK), "--device", "cpu", "--quick"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^\| compact[^|]+\| [\d,]+ \| [1-9]", ended.stdout, re.M)  # spectra/s and GFLOP/s
    assert re.fullmatch(r"best: jobs_per_device=[12]", ended.stdout.splitlines()[-1])
