"""When a controller counts as lost."""

import time
from dataclasses import asdict, replace
from pathlib import Path

from sweeps.study.attributes import SIGNATURE
from sweeps.study.controllers import Controller, Watch, any_alive

ME = Controller.this()


class RemoteController:
    """The attributes of a study as a controller of another machine sees them, with a wrong clock."""

    def __init__(self) -> None:
        self.now, self.beat = 0.0, 1e9
        self.watch = Watch(lambda: self.now)
        self.look()

    def look(self) -> bool:
        """Whether the controller is alive."""
        controller = Controller("elsewhere", 1, "", self.beat, "one")
        attributes = {f"{SIGNATURE}one": asdict(controller)}
        self.watch.look(attributes)
        return self.watch.is_alive(attributes, "one", 60)


def test_a_controller_of_another_machine_is_lost_after_a_time_without_heartbeats() -> None:
    remote = RemoteController()
    for remote.now in range(10, 60, 10):
        assert remote.look()
    remote.beat += 1
    for remote.now in range(60, 120, 10):
        assert remote.look()
    remote.now = 120
    assert not remote.look()
    remote.beat += 1
    assert remote.look()


def test_no_controller_is_lost_while_the_storage_is_unreachable() -> None:
    remote = RemoteController()
    for _ in range(5):
        remote.now += 3600
        assert remote.look()
    remote.now += 3600
    assert not remote.look()


def test_a_controller_of_this_machine_is_alive_while_its_process_runs() -> None:
    watch = Watch()
    others = {"same": ME, "later": replace(ME, started="another start"), "gone": replace(ME, pid=2**22 + 1)}
    attributes = {f"{SIGNATURE}{name}": asdict(controller) for name, controller in others.items()}
    assert [watch.is_alive(attributes, name, 30) for name in (*others, "unknown")] == [True, False, False, False]


def test_a_single_look_compares_the_clocks_of_both_machines() -> None:
    for age_s, seems_alive in ((0, True), (29, True), (31, False)):
        elsewhere = Controller("elsewhere", 1, "", time.time() - age_s)
        assert any_alive({f"{SIGNATURE}{elsewhere.id}": asdict(elsewhere)}, 30) == seems_alive


def test_a_file_of_another_machine_does_not_tell_whether_its_controller_writes_to_a_copy(tmp_path: Path) -> None:
    """Two machines may have different files of one name: there its heartbeats count."""
    files = [tmp_path / name for name in ("original", "copy")]
    for file in files:
        file.touch()
    here = Controller.this(files[0])
    elsewhere = replace(here, machine="elsewhere")
    found = [any_alive({f"{SIGNATURE}one": asdict(one)}, 30, file) for one in (here, elsewhere) for file in files]
    assert found == [True, False, True, True]
