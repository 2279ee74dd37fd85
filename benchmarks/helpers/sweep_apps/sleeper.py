"""A task that sleeps, for benchmarks/sweep_engine.py. It appends its times as one line to `log`, and returns `x`."""

import json
import time
from pathlib import Path

import hydra
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path="conf", config_name="ours")
def main(config: DictConfig) -> float:
    begun = time.time()
    time.sleep(config.duration_s)
    with Path(config.log).open("a") as file:
        file.write(json.dumps([begun, time.time()]) + "\n")
    return float(config.x)


if __name__ == "__main__":
    main()
