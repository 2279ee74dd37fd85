"""The task that all jobs of a sweep share: sent to a worker once, then run for each job."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cloudpickle
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from sweeps.launchers.compose import Composer


@dataclass
class Task:
    """The task function, and everything that Hydra needs to compose its config."""

    context: HydraContext
    config: DictConfig
    function: TaskFunction

    def pack(self) -> bytes:
        """Pickle for another process; by value if the function is in __main__, as in every Hydra application."""
        packed: bytes = cloudpickle.dumps((self.context, self.config, self.function, Singleton.get_state()))
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> "Task":
        """Unpickle in the other process, and set Hydra's global state, as Hydra's own launchers do."""
        setup_globals()
        context, config, function, state = cloudpickle.loads(packed)
        Singleton.set_state(state)
        return cls(context, config, function)

    @cached_property
    def composer(self) -> Composer:
        return Composer(self.context.config_loader, self.config)

    def compose(self, overrides: Sequence[str], job_num: int) -> DictConfig:
        """The config of one job."""
        config = self.composer.compose(overrides)
        with open_dict(config):
            config.hydra.job.id = str(job_num)
            config.hydra.job.num = job_num
        return config

    def run(self, config: DictConfig) -> JobReturn:
        """Run the task function on a composed config. An exception is returned in the JobReturn."""
        job_return: JobReturn = run_job(
            hydra_context=self.context,
            task_function=self.function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        return job_return


def job_folder(config: DictConfig) -> Path:
    """The folder where Hydra will put the files of a job."""
    HydraConfig.instance().set_config(config)
    parts = (OmegaConf.select(config, key) for key in ("hydra.sweep.dir", "hydra.sweep.subdir"))
    return Path(os.path.abspath(os.path.join(*map(str, parts))))  # noqa: PTH100, PTH118  (as in run_job)
