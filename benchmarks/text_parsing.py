"""Measure how fast libraries read the text of a spectrum: 2,600 numbers between commas, written with %.6g.

    python benchmarks/text_parsing.py                 # those libraries of the list that are installed
    pip install orjson polars msgspec                 # for the rows that are not Spectral's own dependencies

Every method gives float32 arrays, and is checked against Python's float(). Times are processor time on one core, the
best of the rounds. Ratios are to json.loads("[" + text + "]"), which gives a list of Python floats, and to the same
followed by a conversion to an array. Methods alternate within a round, so that a slower machine affects all of them.
"""

import argparse
import importlib
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Sequence

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import pandas as pd
import pyarrow as pa
import simdjson
from numpy.typing import NDArray
from pyarrow import compute, csv

from spectral.data.readers.text import parse_numbers

LENGTH = 2600
Texts = Sequence[bytes]
Method = Callable[[Texts], object]


def json_lists(texts: Texts) -> list[list[float]]:
    return [json.loads("[" + text.decode() + "]") for text in texts]


def json_arrays(texts: Texts) -> list[NDArray[np.float32]]:
    return [np.array(values, dtype=np.float32) for values in json_lists(texts)]


def ours(texts: Texts) -> list[NDArray[np.float32]]:
    return [parse_numbers(text) for text in texts]


def simdjson_joined(texts: Texts) -> NDArray[np.float32]:
    parsed = simdjson.Parser().parse(b"[" + b",".join(texts) + b"]")
    return np.frombuffer(parsed.as_buffer(of_type="d")).astype(np.float32)


def numpy_fromstring(texts: Texts) -> list[NDArray[np.float32]]:
    return [np.fromstring(text.decode(), dtype=np.float32, sep=",") for text in texts]


def numpy_loadtxt(texts: Texts) -> list[NDArray[np.float32]]:
    return [np.loadtxt(io.StringIO(text.decode()), delimiter=",", dtype=np.float32) for text in texts]


def pandas_joined(texts: Texts) -> NDArray[np.float32]:
    column = io.BytesIO(_column(texts))
    return pd.read_csv(column, header=None, dtype=np.float32, float_precision="round_trip")[0].to_numpy()


def arrow_csv(texts: Texts) -> list[NDArray[np.float32]]:
    return [arrow_csv_joined([text]) for text in texts]


def arrow_csv_joined(texts: Texts) -> NDArray[np.float32]:
    column = _column(texts)
    read = csv.ReadOptions(column_names=["flux"], use_threads=False, block_size=len(column) + 1)
    convert = csv.ConvertOptions(column_types={"flux": pa.float32()})
    return csv.read_csv(pa.BufferReader(column), read_options=read, convert_options=convert)["flux"].to_numpy()


def arrow_split_and_cast(texts: Texts) -> NDArray[np.float32]:
    tokens = compute.split_pattern(pa.array([b",".join(texts).decode()]), ",").flatten()
    return compute.cast(tokens, pa.float32()).to_numpy()


def orjson_arrays(texts: Texts) -> list[NDArray[np.float32]]:
    loads = importlib.import_module("orjson").loads
    return [np.array(loads(b"[" + text + b"]"), dtype=np.float32) for text in texts]


def msgspec_arrays(texts: Texts) -> list[NDArray[np.float32]]:
    decoder = importlib.import_module("msgspec").json.Decoder(list[float])
    return [np.array(decoder.decode(b"[" + text + b"]"), dtype=np.float32) for text in texts]


def polars_joined(texts: Texts) -> NDArray[np.float32]:
    polars = importlib.import_module("polars")
    return polars.read_csv(_column(texts), has_header=False, schema={"flux": polars.Float32})["flux"].to_numpy()


def _column(texts: Texts) -> bytes:
    return b",".join(texts).replace(b",", b"\n")


METHODS: dict[str, Method] = {
    "json.loads, lists": json_lists,
    "json.loads, arrays": json_arrays,
    "spectral (simdjson), a file at a time": ours,
    "simdjson, files joined": simdjson_joined,
    "orjson": orjson_arrays,
    "msgspec": msgspec_arrays,
    "pyarrow split and cast, files joined": arrow_split_and_cast,
    "pyarrow.csv, files joined": arrow_csv_joined,
    "pyarrow.csv, a file at a time": arrow_csv,
    "polars, files joined": polars_joined,
    "pandas C engine, files joined": pandas_joined,
    "numpy.loadtxt": numpy_loadtxt,
    "numpy.fromstring": numpy_fromstring,
}


def measure(texts: Texts, rounds: int) -> dict[str, float]:
    """Seconds of processor time per method, for all texts; prints methods that are not installed or not exact."""
    expected = np.array([float(token) for text in texts for token in text.split(b",")]).astype(np.float32)
    seconds: dict[str, float] = {}
    for name, method in METHODS.items():
        try:
            values = np.asarray(method(texts)).astype(np.float32).ravel()
        except ModuleNotFoundError as error:
            print(f"{name}: {error.name} is not installed")
            continue
        if not np.array_equal(values, expected):
            print(f"{name}: NOT EXACT, {np.mean(values != expected):.2%} of numbers differ from float()")
        seconds[name] = np.inf
    for _ in range(rounds):
        for name in seconds:
            start = time.process_time()
            METHODS[name](texts)
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=200, help="spectra (default 200)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds, of which the best is printed (default 9)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # numpy.fromstring
    rng = np.random.default_rng(0)
    scale = np.exp(rng.normal(3, 2, (arguments.num, 1)))  # spectra of all brightnesses
    flux = scale * (1 + 0.3 * rng.normal(size=(arguments.num, LENGTH)))
    texts = [",".join(f"{value:.6g}" for value in row).encode() for row in flux]
    seconds = measure(texts, arguments.rounds)
    print(f"\n{'method':<40}{'us a spectrum':>14}{'ns a number':>13}{'x lists':>9}{'x arrays':>10}")
    for name, taken in sorted(seconds.items(), key=lambda item: item[1]):
        ratios = [seconds[base] / taken for base in ("json.loads, lists", "json.loads, arrays")]
        each = taken / arguments.num
        print(f"{name:<40}{each * 1e6:>14.1f}{each / LENGTH * 1e9:>13.1f}{ratios[0]:>9.2f}{ratios[1]:>10.2f}")


if __name__ == "__main__":
    main()
