"""Sweeps on Ray: a node that is lost in the middle, and the product itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from offline_runs import check_grid
from search_runs import (
    REPOSITORY,
    Process,
    await_begun,
    check_complete,
    finish,
    is_gone,
    kill_controller,
    read_line,
    release,
    start,
    trials,
    worker_pids,
)
from small_runs import OVERRIDES, outcome
from small_runs import run as run_alone
from waiting import await_that

ray: Any = pytest.importorskip("ray")
pytestmark = pytest.mark.slow  # Ray takes seconds to start
STORE = 100 * 10**6


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two raylets on this machine stand in for two nodes, each with room for one job."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": STORE})
    try:
        cluster.add_node(num_cpus=1, object_store_memory=STORE)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def start_sweep(folder: Path, cluster: Any) -> Process:
    options = ("hydra/launcher=ray", f"hydra.launcher.address={cluster.address}", "sweep.num_trials=4")
    return start(folder, *options, local=False)


def test_jobs_of_a_killed_controller_end(cluster: Any, folder: Path) -> None:
    process = start_sweep(folder, cluster)
    await_begun(folder, 2, process)
    left = worker_pids(folder)
    kill_controller(process)
    process = start_sweep(folder, cluster)
    await_that(lambda: all(map(is_gone, left)), process)
    release(folder)
    output = finish(process)
    assert process.returncode == 0, output
    check_complete(folder, 4)


def test_trials_of_a_lost_node_resume_on_another(cluster: Any, folder: Path) -> None:
    process = start_sweep(folder, cluster)
    await_begun(folder, 2, process)
    (other,) = cluster.worker_nodes
    cluster.remove_node(other, allow_graceful=False)
    # The lost trial now waits for room, which the other one holds.
    await_that(lambda: "it is run again from its checkpoint" in read_line(process))
    release(folder)
    output = finish(process)
    assert process.returncode == 0, output
    check_complete(folder, 4)
    assert sorted(trial.user_attrs["attempts"] for trial in trials(folder)) == [1, 1, 1, 2]


@pytest.mark.usefixtures("no_key")
def test_runs_on_ray_are_tracked(pack_folder: Path, tmp_path: Path) -> None:
    small = ["data=packed", f"data.folder={pack_folder}", *(o for o in OVERRIDES if not o.startswith("model.width"))]
    ray_options = [f"hydra.launcher.{option}" for option in ("max_parallel=2", "gpus_per_job=0")]
    options = ["hydra/launcher=ray", *ray_options, *small, "tracker=wandb", "model.width=4,6"]
    process = start(tmp_path / "study", *options, script=REPOSITORY / "run.py", local=False)
    output = finish(process)
    assert process.returncode == 0, output
    check_grid(tmp_path / "study", ["model.width=4", "model.width=6"])


def test_the_product_on_ray_gives_the_numbers_of_a_single_run(pack_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    small = ["data=packed", f"data.folder={pack_folder}", *(o for o in OVERRIDES if not o.startswith("model.width"))]
    ray_options = [f"hydra.launcher.{option}" for option in ("max_parallel=2", "gpus_per_job=0")]
    options = ["hydra/launcher=ray", *ray_options, *small, "model.width=4,6", "sweep.search_overrides=[]"]
    process = start(folder, *options, script=REPOSITORY / "run.py", local=False)
    output = finish(process)
    assert process.returncode == 0, output
    found = trials(folder)
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE"]
    for number, width in enumerate((4, 6)):
        alone = tmp_path / f"alone-{width}"
        run_alone([*small, f"model.width={width}", f"run_dir={alone}"])
        assert outcome(folder / str(number)) == outcome(alone)
        assert found[number].values == [outcome(alone)[1]["val/macro_f1"]]
