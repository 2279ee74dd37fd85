"""The errors about a Ray that cannot be joined, and the slots of its nodes; stand-ins replace Ray."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from spectral.errors import UserError
from sweeps.launchers import ray_cluster
from sweeps.launchers.config import RayConfig
from sweeps.launchers.ray_cluster import ADDRESS_VARIABLE, connect, num_slots

ALLOWED = "allowed is local, auto, or the host:port of a running Ray."
SETTINGS_FRAME = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


class RayPlayed:
    """Stand-in for Ray that records how it is joined."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error, self.addresses = error, list[str]()

    def is_initialized(self) -> bool:
        return False

    def init(self, address: str, **how: Any) -> None:
        self.addresses.append(address)
        if self._error is not None:
            raise self._error


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """The address of a server that gives every client the same answer; None: it never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):
                if answer is not None:
                    connection.sendall(answer)
                while connection.recv(1024):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def refused(address: str, ray: RayPlayed | None = None) -> str:
    with pytest.raises(UserError) as raised:
        connect(ray or RayPlayed(), RayConfig(address=address))
    return str(raised.value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "nothing at {} answered within 0.2 s"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server at {} is not Ray"),
        (b"no", "the server at {} is not Ray"),
    ],
    ids=["silence", "the dashboard", "a word"],
)
def test_a_server_that_does_not_answer_as_ray_is_not_waited_for(
    answer: bytes | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "ANSWER_S", 0.2)
    with answering(answer) as address:
        message = refused(address)
    assert message == f"hydra.launcher.address={address} cannot be joined ({reason.format(address)}): {ALLOWED}"


def test_a_server_that_answers_as_ray_is_joined() -> None:
    ray = RayPlayed()
    with answering(SETTINGS_FRAME) as address:
        assert connect(ray, RayConfig(address=address))
    assert ray.addresses == [address]


@pytest.mark.parametrize("address", ["head", "head:", "head:six"])
def test_a_text_that_is_not_an_address_is_reported(address: str) -> None:
    message = refused(address)
    assert (
        message
        == f"hydra.launcher.address={address} cannot be joined ({address} is not of the form host:port): {ALLOWED}"
    )


def test_the_address_that_auto_finds_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray keeps the address of a head that was killed."""
    pytest.importorskip("ray")
    monkeypatch.setenv(ADDRESS_VARIABLE, "nowhere:x")
    assert (
        refused("auto")
        == f"hydra.launcher.address=auto cannot be joined (nowhere:x is not of the form host:port): {ALLOWED}"
    )


def test_auto_without_an_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    services = pytest.importorskip("ray._private.services")
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda folder: None)
    message = refused("auto")
    assert message.startswith(
        "hydra.launcher.address=auto cannot be joined (ConnectionError: Could not find any running "
    )


def test_an_error_of_ray_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = RayPlayed(ConnectionError("Could not find any running Ray instance.\nMore."))
    with answering(SETTINGS_FRAME) as address:
        message = refused(address, ray)
    assert message.startswith(
        f"hydra.launcher.address={address} cannot be joined (ConnectionError: Could not find any "
    )


def cluster(*nodes: dict[str, float]) -> Any:
    gone = {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}
    return SimpleNamespace(nodes=lambda: [gone, *({"Alive": True, "Resources": node} for node in nodes)])


@pytest.mark.parametrize(
    ("shares", "num_jobs"),
    [({"CPU": 1, "GPU": 0}, 6), ({"CPU": 4, "GPU": 0}, 1), ({"CPU": 1, "GPU": 1 / 3}, 3), ({"CPU": 3, "GPU": 0.5}, 1)],
)
def test_a_slot_fits_on_one_node(shares: dict[str, float], num_jobs: int) -> None:
    assert num_slots(cluster({"CPU": 4.0, "GPU": 1.0}, {"CPU": 2.0}), shares, RayConfig(address="auto")) == num_jobs


@pytest.mark.parametrize(
    "options", [{"address": "auto"}, {"address": "local"}, {"address": "local", "max_parallel": 2}]
)
@pytest.mark.parametrize("shares", [{"CPU": 5, "GPU": 0}, {"CPU": 1, "GPU": 2}, {"CPU": 3, "GPU": 1}])
def test_a_job_that_fits_no_node_is_refused(shares: dict[str, float], options: dict[str, Any]) -> None:
    with pytest.raises(UserError) as raised:
        num_slots(cluster({"CPU": 2.0, "GPU": 1.0}, {"CPU": 4.0}), shares, RayConfig(**options))
    assert str(raised.value) == (
        f"hydra.launcher.cpus_per_job={shares['CPU']} with gpus_per_job={shares['GPU']} fits no node of this Ray "
        "cluster: allowed is what one node has, 2 CPUs and 1 GPUs or 4 CPUs and 0 GPUs."
    )


def test_an_autoscaling_cluster_has_the_given_number_of_slots() -> None:
    options = RayConfig(address="auto", max_parallel=3)
    assert num_slots(cluster(), {"CPU": 1, "GPU": 8}, options) == 3


def test_jobs_without_resources_need_a_number_of_slots() -> None:
    nothing = {"CPU": 0, "GPU": 0}
    with pytest.raises(UserError, match=r"^hydra\.launcher\.cpus_per_job=0 without a GPU does not limit"):
        num_slots(cluster({"CPU": 2.0}), nothing, RayConfig())
    assert num_slots(cluster({"CPU": 2.0}), nothing, RayConfig(max_parallel=3)) == 3
