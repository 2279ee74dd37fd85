"""Results of jobs arrive as plain values, or are refused with the name of their type."""

import enum
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from sweeps.launchers.reply import NotPlainError, Reply


class Level(enum.IntEnum):
    LOW = 1


class Broken:
    def __float__(self) -> float:
        raise ArithmeticError


def sent(value: Any) -> JobReturn:
    """The result of a job as the controller receives it."""
    arrived = Reply.unpack(Reply.of_return(JobReturn(status=JobStatus.COMPLETED, _return_value=value)).pack())
    assert arrived.job_return is not None
    return arrived.job_return


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        ("foo", "foo"),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int64(3), 3),
        (np.array(0.5), 0.5),
        (torch.tensor(0.5), 0.5),
        (torch.tensor([3]), 3),
        (Fraction(1, 2), 0.5),
        (Level.LOW, 1),
        ([np.float64(0.5), (1, torch.tensor(2.0))], [0.5, (1, 2.0)]),
        ({"score": np.float32(0.5), Level.LOW: None}, {"score": 0.5, 1: None}),
        (OmegaConf.create({"a": [1, "${b}"], "b": 2}), {"a": [1, 2], "b": 2}),
    ],
)
def test_numbers_become_python_numbers(value: Any, plain: Any) -> None:
    arrived = sent(value)
    assert arrived.status == JobStatus.COMPLETED
    assert repr(arrived.return_value) == repr(plain)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (threading.Lock(), "lock"),
        (np.zeros(2), "ndarray"),
        ([torch.zeros(2)], "Tensor"),
        (Broken(), "Broken"),
        (1j, "complex"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_result_that_is_not_a_number_is_refused(value: Any, kind: str) -> None:
    arrived = sent(value)
    assert arrived.status == JobStatus.FAILED
    with pytest.raises(NotPlainError, match=f"^the task returned a value of type {kind}, but must return a number$"):
        _ = arrived.return_value


def test_a_list_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        _ = sent(endless).return_value
