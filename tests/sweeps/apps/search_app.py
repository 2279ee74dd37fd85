"""A task without torch: epochs with a checkpoint, which wait while the sweep's folder has a file `hold`."""

import math
import os
import signal
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from sweeps import report_progress


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> float:
    folder = Path(HydraConfig.get().runtime.output_dir)
    checkpoint = folder / "epochs"
    append(folder / "starts", f"{os.getpid()} {config.x}")
    if config.x == config.die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    memory = bytearray(int(config.allocate_gb * 2**30))
    begin = len(checkpoint.read_text().split()) if checkpoint.exists() else 0
    for epoch in range(begin + 1, config.epochs + 1):
        if epoch == config.epochs:
            (folder / "waits").touch()  # everything about earlier epochs has been reported
            await_release(folder.parent / config.hold)
        time.sleep(config.epoch_s)
        append(checkpoint, str(epoch))
        report_progress(epoch, config.x * epoch)
        meet_fault(config)
    (folder / "output").write_bytes(bytes(int(config.write_mb * 1e6)))
    del memory
    append(folder.parent / "ended", folder.name)
    return math.nan if has(config, "not_a_number") else float(config.x * config.epochs)


def await_release(hold: Path) -> None:
    """Until the file is gone."""
    while hold.exists():
        time.sleep(0.02)


def has(config: DictConfig, fault: str) -> bool:
    return bool(config.fault == fault and config.x in config.fault_at)


def meet_fault(config: DictConfig) -> None:
    if has(config, "exception"):
        raise ArithmeticError(f"as asked for {config.x}")
    if has(config, "kill_controller"):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)  # the worker ends with it
    while has(config, "hang"):
        time.sleep(1)


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main()
