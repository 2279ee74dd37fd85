"""The launcher for Slurm passes the contract and Hydra's own suite."""

import pytest
from hydra.test_utils.launcher_common_tests import LauncherTestSuite
from launcher_contract import HydrasOwnTests, LauncherContract

pytest.importorskip("submitit")
pytestmark = pytest.mark.slow  # each job is a process that starts from nothing
FLAGS = ["hydra.launcher.executor=local", "hydra.launcher.max_parallel=2", "hydra.launcher.poll_s=0.05"]


class TestContract(LauncherContract):
    """With submitit's own executor for one machine, which takes the same way as that for SLURM."""

    name = "slurm"
    options = {"executor": "local", "max_parallel": 2, "grace_s": 5, "poll_s": 0.05}  # noqa: RUF012
    died = "without a result"
    limit_s = 15


@pytest.mark.parametrize(("launcher_name", "overrides"), [("slurm", FLAGS)])
class TestHydrasLauncherSuite(HydrasOwnTests, LauncherTestSuite):
    pass
