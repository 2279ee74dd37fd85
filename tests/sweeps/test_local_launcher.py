"""The local launcher: the contract, and what it alone promises."""

from launcher_contract import LauncherContract


class TestContract(LauncherContract):
    name = "local"
    options = {"devices": "cpu", "jobs_per_device": 2, "grace_s": 2}  # noqa: RUF012
