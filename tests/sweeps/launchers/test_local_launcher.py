"""The local launcher passes the contract and Hydra's own suites."""

from pathlib import Path

import pytest
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, IntegrationTestSuite, LauncherTestSuite
from launcher_contract import HydrasOwnTests, LauncherContract, refuse

FLAGS = ["hydra.launcher.devices=cpu", "hydra.launcher.jobs_per_device=2"]
# Each worker takes half a second; these tests ask for nothing at the same time, which the contract does.
ONE_SLOT = ["hydra.launcher.devices=cpu", "hydra.launcher.jobs_per_device=1"]


class TestContract(LauncherContract):
    name = "local"
    options = {"devices": "cpu", "jobs_per_device": 2, "grace_s": 2}  # noqa: RUF012  # nobody changes it

    def refuse_starts(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        patch.setattr("sweeps.launchers.local_worker.subprocess.Popen", refuse)


@pytest.mark.slow
@pytest.mark.parametrize(("launcher_name", "overrides"), [("local", ONE_SLOT)])
class TestHydrasLauncherSuite(HydrasOwnTests, LauncherTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(("launcher_name", "overrides"), [("local", [*FLAGS, "hydra.sweeper.max_batch_size=2"])])
class TestHydrasBatchedSuite(HydrasOwnTests, BatchedSweeperTestSuite):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/launcher=local", *FLAGS])])
class TestHydrasIntegrationSuite(HydrasOwnTests, IntegrationTestSuite):
    pass
