"""Fuzz the readers of survey files with atheris: python tests/helpers/fuzz_readers.py CORPUS [libFuzzer's options].

Each input is read in all layouts. A crash leaves its input beside, as libFuzzer does.
"""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["spectral.data.readers.survey_files"]):
    from fuzzed_files import DESI, LAMOST, PLATE, SPEC, read_all

LAYOUTS = (LAMOST, SPEC, PLATE, DESI)
PATH = Path(tempfile.mkdtemp()) / "spec.fits"


def one_input(data: bytes) -> None:
    PATH.write_bytes(data)
    for layout in LAYOUTS:
        read_all(layout, PATH)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
