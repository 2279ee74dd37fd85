"""A stand-in for the server of Weights & Biases on this machine: it answers what the real library asks for a run."""

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENTITY, PROJECT = "team", "spectral"


@dataclass
class WandbServer:
    """Everything that was sent to the server."""

    address: str = ""
    upserts: list[dict[str, Any]] = field(default_factory=list)
    streams: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The rows of all starts, in the order in which they came."""
        chunks = [stream["files"].get("wandb-history.jsonl", {}) for stream in self.streams if "files" in stream]
        return [json.loads(line) for chunk in chunks for line in chunk.get("content", [])]

    def url_of(self, run_id: str) -> str:
        return f"{self.address}/{ENTITY}/{PROJECT}/runs/{run_id}"

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        with self.lock:
            if path.endswith("/file_stream"):
                self.streams.append(json.loads(body))
            if path != "/graphql":
                return {}
            asked = json.loads(body)
            return {"data": self._data(asked["operationName"], asked.get("variables", {}))}

    def _data(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        project = {"id": "1", "name": PROJECT, "entity": {"id": "1", "name": ENTITY}}
        if operation == "Viewer":
            return {"viewer": {"id": "1", "entity": ENTITY, "username": "me", "teams": {"edges": []}}}
        if operation == "UpsertBucket":
            is_new = all(upsert["name"] != variables["name"] for upsert in self.upserts)
            self.upserts.append(variables)
            bucket = {"id": "1", "name": variables["name"], "historyLineCount": 0, "project": project}
            return {"upsertBucket": {"bucket": bucket, "inserted": is_new}}
        if operation == "RunResumeStatus":
            return {"model": {"id": "1", "name": PROJECT, "bucket": self._known_run(variables["name"])}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.address}/upload"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": files}}
        return {}

    def _known_run(self, run_id: str) -> dict[str, Any] | None:
        if all(upsert["name"] != run_id for upsert in self.upserts):
            return None
        history = self.history
        return {
            "id": "1",
            "name": run_id,
            "summaryMetrics": "{}",
            "displayName": "",
            "logLineCount": 0,
            "historyLineCount": len(history),
            "eventsLineCount": 0,
            "historyTail": json.dumps([json.dumps(history[-1])] if history else []),
            "eventsTail": "[]",
            "config": "{}",
            "tags": [],
            "wandbConfig": '{"t": 1}',
        }


@contextlib.contextmanager
def wandb_server() -> Iterator[WandbServer]:
    """A server that listens on a port of its own."""
    stand_in = WandbServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            answer = json.dumps(stand_in.answer(self.path, gzip.decompress(body) if is_packed else body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_PUT = do_POST  # noqa: N815  # http.server's names

        def log_message(self, *_arguments: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
