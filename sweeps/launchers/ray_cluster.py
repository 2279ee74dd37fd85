"""A Ray cluster: started here or joined, and how many jobs its nodes hold."""

import os
import socket
from collections.abc import Mapping
from typing import Any

from sweeps.errors import first_line, user_error
from sweeps.launchers.config import RayConfig

ADDRESS_VARIABLE = "RAY_ADDRESS"  # where Ray looks first for what `auto` means
ANSWER_S = 5.0  # Ray itself would wait for two minutes, and then end the process
# HTTP/2 as its client begins it, with settings of none; Ray's server, of gRPC, answers with settings of its own.
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS, KIND_BYTE = 4, 3  # the kind of such an answer, and where it stands

Shares = Mapping[str, float]  # what a job asks of a node: CPU, GPU


def connect(ray: Any, options: RayConfig) -> bool:
    """Start Ray or join it. True if that was done here; False if this process has a Ray already.

    Raises:
        UserError: there is none to join at the address.
    """
    if ray.is_initialized():
        return False
    how: dict[str, Any] = {"log_to_driver": options.show_output, "configure_logging": False}
    if options.address == "local":
        ray.init("local", object_store_memory=options.object_store_mb * 10**6, include_dashboard=False, **how)
        return True
    try:
        where = _found(options.address)
        if where is not None:
            _check_answer(options.address, where)
        ray.init(options.address, **how)
    except (ConnectionError, ValueError) as error:  # such as none that `auto` finds
        raise _no_ray(options.address, first_line(error).rstrip(".")) from error
    return True


def num_slots(ray: Any, shares: Shares, options: RayConfig) -> int:
    """Jobs that can run at once: what the options say, or what the cluster's nodes hold now.

    Raises:
        UserError: no node holds a job. One that grows may have other nodes later: there `max_parallel` is believed.
    """
    wanted = {kind: share for kind, share in shares.items() if share}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if options.max_parallel is not None and (options.address != "local" or not wanted):
        return options.max_parallel
    if not wanted:
        raise user_error(
            "hydra.launcher.cpus_per_job=0 without a GPU leaves open how many jobs run at once: give "
            "hydra.launcher.max_parallel."
        )
    fits = sum(_num_jobs(node, wanted) for node in nodes)
    if not fits:
        there = " or ".join(sorted({f"{_of(node, 'CPU'):g} CPUs and {_of(node, 'GPU'):g} GPUs" for node in nodes}))
        raise user_error(
            f"hydra.launcher.cpus_per_job={shares['CPU']:g} with gpus_per_job={shares['GPU']:g} fits no node of this "
            f"Ray cluster: allowed is what one node has, {there or 'and there is none'}."
        )
    return options.max_parallel or fits


def _num_jobs(node: Shares, wanted: Shares) -> int:
    # 1e-9: three jobs of a share of 1/3 fit.
    return min(int(_of(node, kind) / share + 1e-9) for kind, share in wanted.items())


def _of(node: Shares, kind: str) -> float:
    return node.get(kind, 0.0)


def _found(address: str) -> str | None:
    """The address that is meant, which for `auto` Ray finds; None if it finds none."""
    if address != "auto":
        return address
    from ray._private.services import canonicalize_bootstrap_address

    # Of a head that was killed it finds the address, too.
    found: str | None = os.environ.get(ADDRESS_VARIABLE) or canonicalize_bootstrap_address("auto")
    return found


def _check_answer(address: str, where: str) -> None:
    """Raise UserError if nobody answers, or somebody else than Ray."""
    host, _, port = where.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise _no_ray(address, f"{where} is no host:port")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":  # it would want another greeting
                return
            connection.sendall(GREETING)
            answer = connection.recv(KIND_BYTE + 1)
    except (OSError, OverflowError) as error:
        told = f"nobody at {where} answered within {ANSWER_S:g} s" if isinstance(error, TimeoutError) else str(error)
        raise _no_ray(address, told) from error
    if len(answer) <= KIND_BYTE or answer[KIND_BYTE] != SETTINGS:
        raise _no_ray(address, f"what answers at {where} is no Ray")


def _no_ray(address: str, reason: str) -> Exception:
    return user_error(
        f"hydra.launcher.address={address} cannot be joined ({reason}): allowed is local, auto, or the host:port of a "
        "Ray that runs."
    )
