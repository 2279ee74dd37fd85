"""The launcher for Slurm passes the contract and Hydra's own suite, and its runs are tracked."""

from pathlib import Path

import pytest
from hydra.test_utils.launcher_common_tests import LauncherTestSuite
from launcher_contract import HydrasOwnTests, LauncherContract, refuse
from offline_runs import check_grid
from search_runs import REPOSITORY, finish, start
from small_runs import OVERRIDES

pytest.importorskip("submitit")
pytestmark = pytest.mark.slow  # each job is a new process
FLAGS = ["hydra.launcher.executor=local", "hydra.launcher.max_parallel=2", "hydra.launcher.poll_s=0.05"]


class TestContract(LauncherContract):
    """The contract with submitit's executor for one machine, which works as the one for SLURM does."""

    name = "slurm"
    options = {"executor": "local", "max_parallel": 2, "grace_s": 5, "poll_s": 0.05}  # noqa: RUF012  # nobody changes it
    died = "without a result"
    limit_s = 15

    def refuse_starts(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        patch.setattr("submitit.local.local.start_controller", refuse)


@pytest.mark.usefixtures("no_key")
def test_runs_are_tracked(pack_folder: Path, tmp_path: Path) -> None:
    small = ["data=packed", f"data.folder={pack_folder}", *(o for o in OVERRIDES if not o.startswith("model.width"))]
    options = ["hydra/launcher=slurm", *FLAGS, *small, "tracker=wandb", "model.width=4,6"]
    process = start(tmp_path / "study", *options, script=REPOSITORY / "run.py", local=False)
    output = finish(process)
    assert process.returncode == 0, output
    check_grid(tmp_path / "study", ["model.width=4", "model.width=6"])


@pytest.mark.parametrize(("launcher_name", "overrides"), [("slurm", FLAGS)])
class TestHydrasLauncherSuite(HydrasOwnTests, LauncherTestSuite):
    pass
