"""The command line of `python -m sweeps.dashboard`."""

import argparse
import errno
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.cli import mistake
from sweeps.errors import user_error_type
from sweeps.outputs import OUTPUTS

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

TIMEOUT_S = 5.0  # for a database that does not answer


def main(arguments: list[str] | None = None) -> int:
    """The command; runs until it is stopped, and returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.dashboard", description="Optuna's dashboard on all studies.")
    parser.add_argument("--folder", type=Path, default=OUTPUTS, help=f"folder of the studies (default: {OUTPUTS})")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="port to listen on (default: 8080; 0 takes any free port)"
    )
    parser.add_argument("--storage", help="URL of a database whose studies are shown too")
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= 65535:
        return mistake(f"--port {given.port} is out of range: allowed is 0 to 65535.")
    return serve(given.folder, given.host, given.port, given.storage)


def serve(folder: Path, host: str, port: int, url: str | None) -> int:
    """Serve until Ctrl-C; returns the exit code."""
    from sweeps.dashboard.artifacts import PlotArtifacts
    from sweeps.dashboard.joined_storage import JoinedStorage
    from sweeps.dashboard.server import open_server
    from sweeps.dashboard.sources import StudySources

    plots = PlotArtifacts()
    try:
        database = _open_database(url)
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    studies = JoinedStorage(StudySources(folder, database), plots)
    num_studies = len(studies.get_all_studies())
    if not num_studies:
        where = f"{folder} nor in {url}" if url else str(folder)
        return mistake(f"there is no study in {where}: start a sweep, or name another place with --folder.")
    try:
        server = open_server(studies, plots, host, port)
    except ImportError:
        return mistake("optuna-dashboard is not installed: python -m pip install -e '.[dashboard]'.")
    except OSError as error:
        return mistake(_address_sentence(host, port, error))
    what = "1 study" if num_studies == 1 else f"{num_studies} studies"
    print(f"{what} at http://{host}:{server.server_port}/dashboard (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nThe dashboard has ended.")
    finally:
        server.server_close()
    return 0


def _open_database(url: str | None) -> "BaseStorage | None":
    from sweeps.study.find import open_existing

    return open_existing(url, TIMEOUT_S) if url else None


def _address_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use: end the program that listens there, or give another port with --port."
    return f"the dashboard cannot listen on {host}:{port}: {error.strerror}."
