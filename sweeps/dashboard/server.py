"""The dashboard's server: Optuna's web application, with requests that would change a sweep refused."""

import json
import logging
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from optuna.storages import BaseStorage

from sweeps.dashboard.artifacts import PlotArtifacts

NOTE = "/note"
REFUSAL = {"reason": "This dashboard shows sweeps and stores notes; it cannot change anything else."}


class Server(ThreadingMixIn, WSGIServer):
    """An HTTP server with one thread per request; the threads end with the process."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """A request handler that does not log requests in the terminal."""

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  (the base class names it so)
        logging.getLogger(__name__).debug(format, *arguments)


def open_server(storage: BaseStorage, plots: PlotArtifacts, host: str, port: int) -> Server:
    """A server that listens; call `serve_forever()` to answer requests.

    Raises:
        ImportError: optuna-dashboard is not installed.
        OSError: the server cannot listen on the address, for example because the port is in use.
    """
    from optuna_dashboard._app import create_app

    app = create_app(storage, artifact_store=plots)
    app.add_hook("before_request", _refuse_changes)
    return make_server(host, port, app, server_class=Server, handler_class=Handler)


def _refuse_changes() -> None:
    """Refuse every request that does not read or write a note."""
    from bottle import HTTPResponse, request

    is_note = request.method == "PUT" and request.path.endswith(NOTE)
    if request.method not in ("GET", "HEAD") and not is_note:
        raise HTTPResponse(json.dumps(REFUSAL), 403, {"Content-Type": "application/json"})
