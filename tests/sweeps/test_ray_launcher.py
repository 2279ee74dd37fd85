"""The launcher for Ray passes the contract and Hydra's own suite."""

import pytest
from hydra.test_utils.launcher_common_tests import LauncherTestSuite
from launcher_contract import HydrasOwnTests, LauncherContract

pytest.importorskip("ray")
pytestmark = pytest.mark.slow  # Ray takes seconds to start


class TestContract(LauncherContract):
    name = "ray"
    options = {"max_parallel": 2, "cpus_per_job": 0.5, "grace_s": 2}  # noqa: RUF012
    died = "died"


@pytest.mark.parametrize(("launcher_name", "overrides"), [("ray", ["hydra.launcher.max_parallel=2"])])
class TestHydrasLauncherSuite(HydrasOwnTests, LauncherTestSuite):
    pass
