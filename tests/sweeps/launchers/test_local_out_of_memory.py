"""A CUDA device whose memory runs out; an exception stands in for it."""

import os
import time
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus
from launcher_contract import LauncherTests, Make
from launcher_runs import TWO_WORKERS, own_folder, texts_of, write_text
from omegaconf import DictConfig
from waiting import PATIENCE_S

from sweeps.launchers.reply import Reply


class OutOfMemoryError(RuntimeError):
    """Stand-in for torch.OutOfMemoryError, which the launcher recognizes by its name."""


def greedy(config: DictConfig) -> str:
    """Return the other running jobs; x=0 runs out of memory alongside another job, or always if `do` asks for it."""
    folder = Path(config.folder)
    write_text(own_folder() / "pid", str(os.getpid()))
    if config.x == 0:
        if config.do == "always" or not (folder / "go").exists():
            texts_of(folder, "1/pid", 1)
            (folder / "go").touch()
            raise OutOfMemoryError("CUDA out of memory")
        return " ".join(path.parent.name for path in folder.glob("*/pid") if not (path.parent / "done").exists())
    if config.x == 1:
        texts_of(folder, "go", 1)
        time.sleep(0.5)
    (own_folder() / "done").touch()
    return ""


class TestOutOfMemory(LauncherTests):
    """A CUDA device that runs out of memory; an exception of that name stands in for it."""

    name = "local"
    options = TWO_WORKERS

    def test_the_job_is_retried_alone_in_a_fresh_worker(self, make: Make, tmp_path: Path) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}"], i) for i in range(4)]
        # When it ran again, only job 0 itself had begun and not ended.
        assert futures[0].result(PATIENCE_S).return_value == "0"
        assert [future.result(PATIENCE_S).return_value for future in futures[1:]] == ["", "", ""]
        alone, *others = ((tmp_path / str(i) / "pid").read_text() for i in range(4))
        assert alone not in others

    @pytest.mark.slow
    def test_it_fails_if_it_runs_out_alone(self, make: Make) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}", "do=always"], i) for i in range(3)]
        with pytest.raises(OutOfMemoryError) as caught:
            _ = futures[0].result(PATIENCE_S).return_value
        assert caught.value.__notes__ == ["The job had cpu to itself."]
        assert [future.result(PATIENCE_S).return_value for future in futures[1:]] == ["", ""]

    def test_it_fails_at_once_if_retrying_is_off(self, make: Make) -> None:
        launcher = make(greedy, retry_alone=False)
        futures = [launcher.submit([f"x={i}"], i) for i in range(2)]
        with pytest.raises(OutOfMemoryError):
            _ = futures[0].result(PATIENCE_S).return_value
        assert futures[1].result(PATIENCE_S).return_value == ""

    @pytest.mark.parametrize(
        ("error", "is_recognized"),
        [
            (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"), True),
            (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
            (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
            (RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"), True),
            (RuntimeError("CUDA error: device-side assert triggered"), False),
            (ValueError("CUDA error: out of memory"), False),
        ],
    )
    def test_out_of_memory_errors_of_cuda_and_its_libraries_are_recognized(
        self, error: Exception, is_recognized: bool
    ) -> None:
        outer = ArithmeticError("in a step")
        outer.__cause__ = error
        for raised in (error, outer):
            reply = Reply.of_return(JobReturn(status=JobStatus.FAILED, _return_value=raised))
            assert (reply.device_memory_ran_out, reply.worn) == (is_recognized, is_recognized)

    @pytest.mark.slow
    def test_draining_waits_for_the_retry(self, make: Make) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}"], i) for i in range(2)]
        launcher.shutdown(wait=True)
        assert futures[0].result(0).return_value == "0"
