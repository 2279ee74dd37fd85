"""TensorBoard's event files, in tensorboard/ of the run folder."""

import json
import shlex
import struct
import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from spectral.tracking.backends.contract import Ending, TrackedRun

PNG_SIZE = slice(16, 24)  # width and height in a PNG file, https://www.w3.org/TR/png/#11IHDR


class TensorboardTracker:
    """Scalars by epoch, the final figures at the step after the last, and the pictures."""

    def __init__(self, run: TrackedRun) -> None:
        self._folder = Path(run.folder) / "tensorboard"
        self._writer = EventFileWriter(str(self._folder))
        self.url, self.last_written_step = None, run.last_written_step
        if run.id is None:
            about = {"name": run.name, "group": run.group, "job_type": run.job_type, "config": run.config}
            self._add(0, _text("run", json.dumps(about, indent=2)))
            self._writer.flush()

    @property
    def id(self) -> str:
        return self._folder.name

    def log(self, row: dict[str, float], step: int) -> None:
        numbers = {name: value for name, value in row.items() if not isinstance(value, str)}
        self._add(step, *(Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()))
        self._writer.flush()
        self.last_written_step = step

    def finish(self, ending: Ending) -> str:
        numbers = {k: v for k, v in ending.numbers.items() if isinstance(v, int | float)}
        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        values += [_image(name, Path(path).read_bytes()) for name, path in ending.images.items()]
        values.append(_text("status", f"{ending.status} {ending.reason}".strip()))
        self.last_written_step += 1
        self._add(self.last_written_step, *values)
        self._writer.close()
        return f"the run is kept here; to look at it: tensorboard --logdir {shlex.quote(str(self._folder))}"

    def _add(self, step: int, *values: Any) -> None:
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))


def _image(name: str, png: bytes) -> Any:
    width, height = struct.unpack(">II", png[PNG_SIZE])
    image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
    return Summary.Value(tag=name, image=image)


def _text(name: str, text: str) -> Any:
    tensor = TensorProto(
        dtype=DT_STRING,
        string_val=[text.encode()],
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    )
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    return Summary.Value(tag=name, metadata=metadata, tensor=tensor)
