"""Steps that take turns, each in a process of its own: a slower machine then affects all of them.

The memory allocator is set once per process, and TensorFlow lives in another environment.
"""

import math
import multiprocessing
import subprocess
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

KERAS_STEP = Path(__file__).parent / "keras_step.py"
Step = Callable[[], object]
Make = Callable[[int], Step]  # of a step, from the number of spectra in its batch


class Steps(Protocol):
    """A process that runs steps when it is asked to."""

    def ask(self, num_steps: int, batch_size: int) -> float:
        """The seconds that some steps take together; infinity if the process has ended."""
        ...

    def close(self) -> None: ...


class TorchSteps:
    """Steps in a process of this environment. `make` is sent there, so it must be importable."""

    def __init__(self, make: Make) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self.process.start()

    def ask(self, num_steps: int, batch_size: int) -> float:
        self.pipe.send((num_steps, batch_size))
        return float(self.pipe.recv())

    def close(self) -> None:
        self.pipe.send((0, 0))
        self.process.join()


class KerasSteps:
    """The same steps in Keras, in a process of another environment: keras_step.py.

    Args:
        what: 'train' or 'predict'.
        kind: one of those that keras_step.py knows.
        num_threads: None leaves TensorFlow's own number.
    """

    def __init__(self, python: Path, what: str, kind: str, length: int, num_threads: int | None) -> None:
        command = [str(python), str(KERAS_STEP), what, kind, str(length), str(num_threads or 0)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, num_steps: int, batch_size: int) -> float:
        assert self.process.stdin is not None and self.process.stdout is not None
        if self.process.poll() is not None:
            return math.inf  # bfloat16 does not run everywhere
        print(num_steps, batch_size, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        return float(answer) if answer else math.inf

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def seconds_in_turn(
    processes: Sequence[Steps], sizes: Sequence[tuple[int, int]], budget_s: float, num_warm: int = 2
) -> list[list[list[float]]]:
    """Seconds per step, for each turn, size and process; the processes are closed.

    Args:
        sizes: number of steps at a time, and spectra in the batch of each.
        budget_s: after it no new turn begins; there are at least three.
        num_warm: steps before the first turn.
    """
    for _, batch_size in sizes:
        for process in processes:
            process.ask(num_warm, batch_size)
    end, turns = time.monotonic() + budget_s, []
    while len(turns) < 3 or time.monotonic() < end:
        turns.append([[process.ask(num, size) / num for process in processes] for num, size in sizes])
    for process in processes:
        process.close()
    return turns


def _serve(connection: Connection, make: Make) -> None:
    """The loop of a process: read a number of steps and a batch size, run them, and send back the seconds."""
    steps: dict[int, Step] = {}
    while (asked := connection.recv())[0]:
        num_steps, batch_size = asked
        if batch_size not in steps:
            steps[batch_size] = make(batch_size)
        start = time.perf_counter()
        for _ in range(num_steps):
            steps[batch_size]()
        connection.send(time.perf_counter() - start)
