"""A PostgreSQL server for the tests: in a folder of its own, on a free port, with a password."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

PASSWORD = "word-that-no-file-holds"
USER = "sweeper"
ACCOUNT = "postgres"  # of the system: the server refuses to run as root


def reason_to_skip() -> str | None:
    """Why no server can be started here; None if one can."""
    if _programs() is None:
        return "PostgreSQL's initdb and pg_ctl are not installed"
    if os.geteuid() == 0 and not (shutil.which("runuser") and _has_account()):
        return f"as root a server needs runuser and the account {ACCOUNT}"
    return None


class Server:
    """It runs from `start` until `stop`."""

    def __init__(self) -> None:
        # Not pytest's folder, which no other account may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, password_file):
                shutil.chown(path, ACCOUNT)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._num_databases = 0
        data = str(self.folder / "data")
        self._call("initdb", "-D", data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync")

    def start(self) -> None:
        # An immediate stop is no power failure: nothing needs to reach the disk.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop as if killed: connections are cut, and what was not committed is lost."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg

        self._num_databases += 1
        name = f"studies_{self._num_databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return self.url(name)

    def _call(self, program: str, *arguments: str) -> None:
        as_account = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
        folder = _programs()
        assert folder
        # Its output goes to a file: the server would hold a pipe open for as long as it runs.
        with (self.folder / "calls").open("a") as output:
            subprocess.run(
                [*as_account, str(folder / program), *arguments],
                cwd=self.folder,
                env=os.environ | {"LC_ALL": "C"},
                stdout=output,
                stderr=output,
                check=True,
            )


def _programs() -> Path | None:
    """The folder of initdb: on PATH, or that of Debian."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def _has_account() -> bool:
    import pwd

    return any(entry.pw_name == ACCOUNT for entry in pwd.getpwall())
