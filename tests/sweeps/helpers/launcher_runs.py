"""A small Hydra application for launchers: its config, its task function, and launchers set up on it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.initialize import initialize
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf
from waiting import await_that

from sweeps.launchers.contract import StreamingLauncher

TWO_WORKERS = {"devices": "cpu", "jobs_per_device": 2, "grace_s": 2}  # options of the local launcher


def launcher_on(folder: Path, name: str, function: Callable[[DictConfig], Any], options: dict[str, Any]) -> Any:
    """A launcher whose jobs write under a folder, set up as Hydra does it."""
    setup_globals()
    ConfigStore.instance().store("launcher_runs", OmegaConf.create({"x": 1, "do": "square", "folder": str(folder)}))
    overrides = [f"hydra/launcher={name}", f"hydra.sweep.dir={folder}", "hydra.hydra_logging.root.handlers=[]"]
    overrides += [f"++hydra.launcher.{key}={_word(value)}" for key, value in options.items()]
    with initialize(version_base="1.3", config_path=None):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration("launcher_runs", overrides, RunMode.MULTIRUN)
        context = HydraContext(config_loader=loader, callbacks=_NoCallbacks())
        launcher = Plugins.instance().instantiate_launcher(context, function, config)
    assert isinstance(launcher, StreamingLauncher)
    return launcher


def task(config: DictConfig) -> Any:
    """Square x, or do what `do` asks for."""
    folder, own = Path(config.folder), Path(HydraConfig.get().runtime.output_dir)
    write_text(own / "pid", str(os.getpid()))
    if config.do == "raise":
        raise ArithmeticError("as asked")
    if config.do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if config.do == "exit":
        raise SystemExit(3)
    if config.do == "wait":
        await_that(lambda: (folder / "go").exists())
        return config.x
    if config.do == "meet":
        await_that(lambda: len(list(folder.glob("*/pid"))) >= 2)
        return config.x
    return config.x**2


def own_folder() -> Path:
    """The folder of the job that calls it."""
    return Path(HydraConfig.get().runtime.output_dir)


def texts_of(folder: Path, pattern: str, num_files: int) -> list[str]:
    """The texts of files that jobs write, once there are this many of them."""
    await_that(lambda: len(list(folder.glob(pattern))) >= num_files)
    return [path.read_text() for path in folder.glob(pattern)]


def write_text(path: Path, text: str) -> None:
    """Write a file in one step, so that a reader never finds half of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def _word(value: Any) -> str:
    """A value in the grammar of Hydra."""
    return "null" if value is None else str(value).replace(" ", "")


class _NoCallbacks:
    """Stand-in for Hydra's callbacks."""

    def on_job_start(self, **kwargs: Any) -> None: ...

    def on_job_end(self, **kwargs: Any) -> None: ...
