"""Measure the memory of packing, of all processes together, for two survey sizes: it should not grow with the survey.

    python benchmarks/packing_memory.py                 # 2,000 and 50,000 spectra of 2,600 points; about two minutes
    python benchmarks/packing_memory.py --quick         # 2,000 and 8,000: under 40 s

Text files in the contest's layout are made on the fly (a few texts under many names, as hard links), packed by
`python -m spectral.pack`, and deleted. Linux: memory is read from /proc, as the proportional set size, in which a page
that processes share counts once.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from helpers.memory import MIB, peak_of

LENGTH = 2600
LINKS_PER_TEXT = 10_000  # file systems limit the names of one file; ext4 to 65,000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--num-workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{options.num_workers} packing processes and their parent\n")
    print(f"{'spectra':>8} {'flux.npy MiB':>13} {'peak memory MiB':>16} {'spectra/s':>10}")
    for num in [2000, 8000] if options.quick else [2000, 50_000]:
        with tempfile.TemporaryDirectory() as folder:
            write_survey(Path(folder), num)
            start = time.perf_counter()
            peak_bytes = pack(Path(folder), options.num_workers)
            seconds = time.perf_counter() - start
            size = (Path(folder) / "pack" / "flux.npy").stat().st_size
        print(f"{num:8,} {size / MIB:13.0f} {peak_bytes / MIB:16.0f} {num / seconds:10.0f}", flush=True)


def write_survey(folder: Path, num: int) -> None:
    """Write index.csv and spectra/<id>.txt."""
    (folder / "spectra").mkdir()
    with (folder / "index.csv").open("w") as index:
        index.write("id,type\n")
        for i in range(num):
            path = folder / "spectra" / f"{i}.txt"
            if i % LINKS_PER_TEXT == 0:
                text = path
                flux = np.random.default_rng(i).normal(1000, 100, LENGTH)
                text.write_text(",".join(f"{value:.4f}" for value in flux))
            else:
                os.link(text, path)
            index.write(f"{i},{'star' if i % 10 else 'qso'}\n")


def pack(folder: Path, num_workers: int) -> int:
    """Pack in other processes; returns the peak of their memory together, in bytes."""
    data = f"data.index={folder / 'index.csv'}", f"data.folder={folder / 'spectra'}", f"data.num_workers={num_workers}"
    return peak_of([sys.executable, "-m", "spectral.pack", "data=tianchi", *data, f"out={folder / 'pack'}"])


if __name__ == "__main__":
    main()
