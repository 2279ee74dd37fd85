"""Weights whose numbers were damaged are never used."""

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from spectral.runs.weights import load_weights, write_weights

WEIGHTS = {
    "conv.weight": torch.arange(24.0).reshape(2, 3, 4),
    "norm.num_batches_tracked": torch.tensor(7),
    "half": torch.ones(5, dtype=torch.bfloat16),
    "nothing": torch.zeros(0, 3),
}


def check_equal(loaded: dict[str, Tensor]) -> None:
    assert loaded.keys() == WEIGHTS.keys()
    for name, tensor in WEIGHTS.items():
        assert loaded[name].dtype == tensor.dtype and torch.equal(loaded[name], tensor)


def test_weights_are_loaded_as_they_were_written(tmp_path: Path) -> None:
    write_weights(tmp_path / "best.safetensors", WEIGHTS)
    check_equal(load_weights(tmp_path / "best.safetensors"))


def test_each_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    write_weights(path, WEIGHTS)
    whole = path.read_bytes()
    num_data = sum(tensor.numel() * tensor.element_size() for tensor in WEIGHTS.values())
    for at in range(len(whole) - num_data, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SafetensorError, match="not those that were written"):
            load_weights(path)


def test_weights_under_each_others_names_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    write_weights(path, {"a": torch.zeros(3), "b": torch.ones(3)})
    path.write_bytes(path.read_bytes().replace(b'"a"', b'"c"').replace(b'"b"', b'"a"').replace(b'"c"', b'"b"'))
    with pytest.raises(SafetensorError, match="not those that were written"):
        load_weights(path)


def test_weights_of_an_earlier_version_have_no_digest(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "best.safetensors")
    check_equal(load_weights(tmp_path / "best.safetensors"))
