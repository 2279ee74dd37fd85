"""The Ray launcher passes the contract and Hydra's own suite, and survives a lost node."""

from collections.abc import Iterator
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import pytest
from hydra.test_utils.launcher_common_tests import LauncherTestSuite
from launcher_contract import HydrasOwnTests, LauncherContract, LauncherTests, Make, refuse, started_pids
from waiting import PATIENCE_S

from sweeps.launchers.contract import WorkerLost

ray: Any = pytest.importorskip("ray")
pytestmark = pytest.mark.slow  # Ray takes seconds to start


@pytest.fixture(scope="class")
def running_ray() -> Iterator[None]:
    ray.init(num_cpus=2, object_store_memory=100 * 10**6, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("running_ray")
class TestContract(LauncherContract):
    """The contract on a Ray that is already running; Hydra's suite below starts one for each test."""

    name = "ray"
    options = {"cpus_per_job": 1}  # noqa: RUF012  # nobody changes it
    died = "died"

    def refuse_starts(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        patch.setattr(ray, "remote", refuse)

    def test_the_number_of_slots_is_what_the_cluster_holds(self, make: Make) -> None:
        assert make().num_slots == 2
        assert make(cpus_per_job=0.5).num_slots == 4
        assert make(max_parallel=7).num_slots == 7


@pytest.mark.parametrize(("launcher_name", "overrides"), [("ray", ["hydra.launcher.max_parallel=2"])])
class TestHydrasLauncherSuite(HydrasOwnTests, LauncherTestSuite):
    @pytest.fixture(autouse=True)
    def _ends_ray(self) -> Iterator[None]:
        """Hydra does not notify a launcher of the end of its sweep, so that Ray would still run in the next test."""
        yield
        ray.shutdown()


class TestNodeLoss(LauncherTests):
    """Two raylets on this machine stand in for two nodes."""

    name = "ray"
    options = {"address": "auto", "cpus_per_job": 1}  # noqa: RUF012  # nobody changes it

    def test_its_jobs_are_lost_and_others_continue_elsewhere(self, make: Make, tmp_path: Path) -> None:
        from ray.cluster_utils import Cluster

        store = 100 * 10**6
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": store})
        try:
            node = cluster.add_node(num_cpus=1, object_store_memory=store)
            launcher = make(address=cluster.address)
            assert launcher.num_slots == 2
            futures = [launcher.submit([f"x={i}", "do=wait"], i) for i in range(2)]
            started_pids(tmp_path, 2)
            cluster.remove_node(node, allow_graceful=False)
            lost = next(as_completed(futures, 90))
            assert isinstance(lost.exception(), WorkerLost)
            (tmp_path / "go").touch()
            (kept,) = set(futures) - {lost}
            assert kept.result(PATIENCE_S).return_value == futures.index(kept)
            assert launcher.submit(["x=5"], 5).result(PATIENCE_S).return_value == 25
            launcher.shutdown(wait=False)
        finally:
            ray.shutdown()
            cluster.shutdown()
