"""Start or join a Ray cluster, and count how many jobs its nodes can run."""

import os
import socket
from collections.abc import Mapping
from typing import Any

from sweeps.errors import first_line, user_error
from sweeps.launchers.config import RayConfig

ADDRESS_VARIABLE = "RAY_ADDRESS"  # where Ray first looks for the address if `auto` is given
ANSWER_S = 5.0  # Ray itself would wait for two minutes, then end the process
# The first bytes of an HTTP/2 client, with an empty settings frame. Ray's server (gRPC) answers with a settings frame.
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
SETTINGS, KIND_BYTE = 4, 3  # the type of a settings frame, and the index of its type byte

Shares = Mapping[str, float]  # what a job needs of a node: CPU, GPU


def connect(ray: Any, options: RayConfig) -> bool:
    """Start Ray or join it; returns False if this process was already connected to Ray.

    Raises:
        UserError: there is no Ray at the address.
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
    except (ConnectionError, ValueError) as error:  # for example if `auto` finds no cluster
        raise _no_ray(options.address, first_line(error).rstrip(".")) from error
    return True


def num_slots(ray: Any, shares: Shares, options: RayConfig) -> int:
    """How many jobs can run at once: `max_parallel`, or what the cluster's nodes have room for now.

    Raises:
        UserError: no node has room for a job. On a joined cluster, which may get other nodes later, a given
            `max_parallel` is not checked.
    """
    wanted = {kind: share for kind, share in shares.items() if share}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if options.max_parallel is not None and (options.address != "local" or not wanted):
        return options.max_parallel
    if not wanted:
        raise user_error(
            "hydra.launcher.cpus_per_job=0 without a GPU does not limit how many jobs run at once: give "
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
    # 1e-9 allows for rounding: three jobs with a share of 1/3 each fit.
    return min(int(_of(node, kind) / share + 1e-9) for kind, share in wanted.items())


def _of(node: Shares, kind: str) -> float:
    return node.get(kind, 0.0)


def _found(address: str) -> str | None:
    """The address to join; Ray finds it for `auto`. None if it finds none."""
    if address != "auto":
        return address
    from ray._private.services import canonicalize_bootstrap_address

    # Ray also finds the address of a head node that was killed.
    found: str | None = os.environ.get(ADDRESS_VARIABLE) or canonicalize_bootstrap_address("auto")
    return found


def _check_answer(address: str, where: str) -> None:
    """Raise UserError if nothing answers at the address, or something other than Ray."""
    host, _, port = where.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise _no_ray(address, f"{where} is not of the form host:port")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":  # with TLS the server needs another greeting
                return
            connection.sendall(GREETING)
            answer = connection.recv(KIND_BYTE + 1)
    except (OSError, OverflowError) as error:
        reason = f"nothing at {where} answered within {ANSWER_S:g} s" if isinstance(error, TimeoutError) else str(error)
        raise _no_ray(address, reason) from error
    if len(answer) <= KIND_BYTE or answer[KIND_BYTE] != SETTINGS:
        raise _no_ray(address, f"the server at {where} is not Ray")


def _no_ray(address: str, reason: str) -> Exception:
    return user_error(
        f"hydra.launcher.address={address} cannot be joined ({reason}): allowed is local, auto, or the host:port of a "
        "running Ray."
    )
