"""The checkpoint file: complete, safe to read, and reported if it cannot be read."""

import logging
import pickle
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from spectral.errors import UserError
from spectral.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def made() -> Checkpoint:
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    optimizer = torch.optim.Adam([weight], lr=0.1)
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return Checkpoint(
        stage=1,
        epoch_in_stage=2,
        epoch=5,
        network={"weight": weight.detach().clone()},
        ema=None,
        optimizer=optimizer.state_dict(),
        lr_schedule={"last_epoch": 7, "_last_lr": [0.1]},
        best_score=0.25,
        best_epoch=4,
        best_stage=0,
        epochs_without_gain=1,
        train_s=1.5,
        data_digest="abc",
    )


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    saved = made()
    save_checkpoint(tmp_path / "last.ckpt", saved)
    loaded = load_checkpoint(tmp_path / "last.ckpt")
    assert loaded is not None
    torch.testing.assert_close(loaded.network, saved.network, rtol=0, atol=0)
    torch.testing.assert_close(loaded.optimizer["state"], saved.optimizer["state"], rtol=0, atol=0)
    tensors: dict[str, Any] = {"network": {}, "optimizer": {}}
    assert replace(loaded, **tensors) == replace(saved, **tensors)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_new_run_has_no_checkpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_checkpoint(tmp_path / "last.ckpt") is None
    assert not caplog.records


def test_a_truncated_or_overwritten_checkpoint_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, made())
    content = path.read_bytes()
    corrupt = [content[: len(content) * part // 23] for part in range(23)]
    corrupt += [b"\x00" * len(content), b"not a checkpoint", content[500:], pickle.dumps({"stage": 0})]
    for bad in corrupt:
        path.write_bytes(bad)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert load_checkpoint(path) is None
        assert "starts again from its beginning" in caplog.text


def test_a_damaged_checkpoint_is_kept_by_another_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, kept = tmp_path / "last.ckpt", tmp_path / "last.ckpt.damaged"
    for content in (b"damaged", b"damaged later"):
        path.write_bytes(content)
        caplog.clear()
        assert load_checkpoint(path) is None
        assert list(tmp_path.iterdir()) == [kept] and kept.read_bytes() == content
        assert "it is kept as last.ckpt.damaged" in caplog.text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a file whose reading fails")
def test_a_read_that_fails_is_no_damage(tmp_path: Path) -> None:
    """The first byte of a process's memory can be asked for, and reading it is an error of the disk."""
    path = tmp_path / "last.ckpt"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"last\.ckpt cannot be read: Input/output error; change that, or remove it"):
        load_checkpoint(path)
    assert list(tmp_path.iterdir()) == [path]


def test_too_little_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, made())
    # More than any machine can address.
    monkeypatch.setattr(torch, "load", lambda *_given, **_options: torch.empty(1 << 55, dtype=torch.uint8))
    with pytest.raises(RuntimeError, match="allocate"):
        load_checkpoint(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_that_cannot_be_opened_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").mkdir()
    with pytest.raises(UserError, match=r"last\.ckpt cannot be read: Is a directory; change that, or remove it"):
        load_checkpoint(tmp_path / "last.ckpt")


def test_a_checkpoint_of_a_later_or_an_earlier_version_is_read(tmp_path: Path) -> None:
    torch.save({**asdict(made()), "more": 1}, tmp_path / "later.ckpt")
    earlier = asdict(made())
    earlier["averaged"] = earlier.pop("ema")
    for name in ("train_s", "epochs_without_gain"):
        del earlier[name]
    torch.save(earlier, tmp_path / "earlier.ckpt")
    for name in ("later", "earlier"):
        loaded = load_checkpoint(tmp_path / f"{name}.ckpt")
        assert loaded is not None and (loaded.epoch, loaded.best_score) == (5, 0.25)


@pytest.mark.parametrize("content", [{"stage": 0}, [1, 2], 3])
def test_a_file_of_another_program_is_not_taken_for_a_checkpoint(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "last.ckpt")
    assert load_checkpoint(tmp_path / "last.ckpt") is None


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("code in a checkpoint was run",)


def test_code_inside_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    torch.save({**asdict(made()), "best_score": Malicious()}, tmp_path / "last.ckpt")
    assert load_checkpoint(tmp_path / "last.ckpt") is None
