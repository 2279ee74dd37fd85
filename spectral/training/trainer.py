"""The training loop: stages, epochs, steps; it knows tensors and callables, not configs. B batch."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spectral.errors import UserError
from spectral.inputs.batches import Batch, BatchSource, Rows
from spectral.inputs.inputs import Inputs
from spectral.runs.folder import RunFolder
from spectral.runs.weights import load_weights, write_weights
from spectral.runtime import Runtime
from spectral.training.averaging import make_ema
from spectral.training.checkpoint import Checkpoint, check_weights, load_resumable, restore_network, save_checkpoint
from spectral.training.distillation import Teacher, View, prior_of
from spectral.training.divergence import FiniteCheck
from spectral.training.lr_schedules import StageSchedule
from spectral.training.mixup import Mixture, mix
from spectral.training.progress import Progress
from spectral.training.sampler import Sampler
from spectral.training.seeding import seed_torch
from spectral.training.stage import TRAINING_LOSS, Stage, TrainingSettings

log = logging.getLogger(__name__)

# A CPU's losses are looked at this often. A GPU's are read once an epoch: each reading empties its queue of work.
STEPS_PER_LOSS_CHECK = 25


class Trainer:
    """Trains one network; `fit` resumes from the folder's checkpoint if there is one."""

    def __init__(
        self,
        network: nn.Module,
        runtime: Runtime,
        inputs: Inputs,
        source: BatchSource,
        rows: Rows,
        targets: Tensor,
        sampler: Sampler,
        stages: list[Stage],
        settings: TrainingSettings,
        validate: Callable[[nn.Module, nn.Module], dict[str, float]],
        folder: RunFolder,
        progress: Progress,
        teacher: Teacher | None = None,
    ) -> None:
        """Take over the parts of a run; nothing is trained yet.

        Args:
            rows: survey rows [n] of the training split.
            targets: class indices [n] of those rows, on the device.
            validate: gives the metrics of a network and of the loss it was trained with, by name; empty if there is no
                validation split.
            teacher: of the same rows, whose probabilities are learned with the targets; None: the targets alone.
        """
        self.network, self.runtime, self.inputs, self.source = network, runtime, inputs, source
        self.rows, self.targets, self.sampler = rows, targets, sampler
        self.stages, self.settings, self.validate = stages, settings, validate
        self.folder, self.progress, self.teacher = folder, progress, teacher
        self.compiled_network = runtime.prepare(network)
        self.ema = make_ema(network, settings.ema_decay)
        self.metrics: list[dict[str, Any]] = []  # a row for each epoch so far
        self.best_score: float | None = None
        self.best_stage = stages[0]
        self.epoch, self.best_epoch, self.epochs_without_gain, self.train_s = 0, 0, 0, 0.0

    @property
    def best_loss(self) -> nn.Module:
        """The loss of the epoch whose weights are kept."""
        return self.best_stage.make_loss(self.best_epoch - 1)

    @property
    def snapshot_epochs(self) -> list[int]:
        """The epochs so far, counted over all stages, whose weights are kept as snapshots."""
        stage = self.stages[-1]
        epochs = [row["epoch"] for row in self.metrics if row["stage"] == stage.name]
        return [epochs[place - 1] for place in stage.snapshot_epochs if place <= len(epochs)]

    @property
    def _validated(self) -> nn.Module:
        """The network that is validated and kept."""
        return self.ema.module if self.ema else self.network

    def fit(self, on_epoch: Callable[[int, dict[str, Any]], None]) -> None:
        """Train all stages that are left; the weights that are kept are then in the folder.

        Args:
            on_epoch: called after each epoch with its number and metrics; what it raises ends the training.

        Raises:
            NonFiniteLossError: with the step and what to try.
            UserError: the data is not what the run began with, or its weights cannot be read.
        """
        resumed = load_resumable(self.folder)
        if resumed and resumed.data_digest not in {self.settings.data_digest, self.settings.former_data_digest}:
            raise UserError(
                f"run_dir={self.folder.path} began on other spectra, or on another split of them: the data has changed "
                "since, so give another run_dir."
            )
        self.metrics = resumed.rows if resumed else []
        self.folder.write_metrics(self.metrics)  # rows that no checkpoint covers go: their epochs are run again
        if resumed:
            for epoch in self.snapshot_epochs:
                check_weights(self.folder.snapshot(epoch).weights, self.folder)
            log.info("Resuming after epoch %d of the run in %s.", resumed.epoch, self.folder.path)
        plan = ", then ".join(map(str, self.stages))
        which = "last epoch" if self.settings.keeps_last else f"best {self.settings.objective}"
        log.info("Training for %s; the weights of the %s are kept.", plan, which)
        with self.progress.running(sum(stage.epochs for stage in self.stages)):
            for number, stage in enumerate(self.stages):
                if resumed is None or number > resumed.stage:
                    self._run_stage(number, stage, None, on_epoch)
                elif number == resumed.stage:
                    self._run_stage(number, stage, resumed, on_epoch)

    def _run_stage(
        self,
        number: int,
        stage: Stage,
        resumed: Checkpoint | None,
        on_epoch: Callable[[int, dict[str, Any]], None],
    ) -> None:
        optimizer = stage.make_optimizer(self.network)
        schedule = stage.make_lr_schedule(optimizer, stage.steps * stage.epochs)
        if resumed:
            self._restore(resumed, optimizer, schedule)
        else:
            self._begin_stage(stage)
            # Without this, a kill after the stage's first new best would restart the stage from that.
            self._save(number, 0, optimizer, schedule)
        first = resumed.epoch_in_stage if resumed else 0
        for epoch_in_stage in range(first, stage.epochs):
            if self.settings.patience_epochs and self.epochs_without_gain >= self.settings.patience_epochs:
                log.info("Stage %s stopped: no gain in %d epochs.", stage.name, self.epochs_without_gain)
                break
            row = self._run_epoch(stage, optimizer, schedule)
            self.metrics.append(row)
            self.folder.append_metrics(row)
            if epoch_in_stage + 1 in stage.snapshot_epochs:
                self._keep_snapshot()  # before the checkpoint: a run that is resumed has those of all its epochs
            self._save(number, epoch_in_stage + 1, optimizer, schedule)
            self.progress.end_epoch(row)
            on_epoch(self.epoch, row)

    def _begin_stage(self, stage: Stage) -> None:
        self.epochs_without_gain = 0
        if stage.start == "best" and self.best_epoch:
            self.network.load_state_dict(load_weights(self.folder.weights))
            self.ema = make_ema(self.network, self.settings.ema_decay)
        if stage.changes_loss and self.settings.objective == TRAINING_LOSS:
            self.best_score = None  # values of two losses cannot be compared

    def _run_epoch(
        self,
        stage: Stage,
        optimizer: torch.optim.Optimizer,
        schedule: StageSchedule,
    ) -> dict[str, Any]:
        started = time.perf_counter()
        lr = optimizer.param_groups[0]["lr"]
        self.epoch += 1
        loss = stage.make_loss(self.epoch - 1).to(self.runtime.device)
        seed_torch(self.settings.seed, self.epoch)
        self.progress.begin_epoch(stage.name, self.epoch, stage.steps)
        train_loss, num_spectra = self._train_epoch(stage, loss, optimizer, schedule)
        schedule.after_epoch(train_loss)
        trained = time.perf_counter()
        row = {"epoch": self.epoch, "stage": stage.name, "lr": lr, TRAINING_LOSS: train_loss}
        row |= self.validate(self._validated, loss)
        self._note_best(row, stage)
        ended = time.perf_counter()
        self.train_s += ended - started
        row["time/epoch_s"] = round(ended - started, 4)
        row["time/train_spectra_per_s"] = round(num_spectra / (trained - started), 1)
        return row

    def _train_epoch(
        self, stage: Stage, loss: nn.Module, optimizer: torch.optim.Optimizer, schedule: StageSchedule
    ) -> tuple[float, int]:
        kept_in = self.folder.path if self.best_epoch else None
        watch = FiniteCheck(self.network, stage.name, self.epoch, kept_in)
        positions = list(self.sampler.batches(self.epoch - 1, stage.steps))
        num_checked, losses, rates = 0, list[Tensor](), [optimizer.param_groups[0]["lr"]]
        for value in self.steps(positions, loss, optimizer, schedule):
            losses.append(value)
            is_due = len(losses) == num_checked + STEPS_PER_LOSS_CHECK and self.runtime.device.type == "cpu"
            if is_due or len(losses) == len(positions):
                watch.check_losses(losses[num_checked:], rates[num_checked:], num_checked)
                num_checked = len(losses)
            rates.append(optimizer.param_groups[0]["lr"])  # of the next step
            self.progress.end_step()
        watch.check_weights(stage.steps, rates[-2])
        return float(torch.stack(losses).cpu().double().mean()), sum(map(len, positions))

    def steps(
        self,
        positions: list[Rows],
        loss: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: StageSchedule,
    ) -> Iterator[Tensor]:
        """Train a step for each batch; yields its loss, on the device. Nothing waits for a GPU meanwhile.

        Args:
            positions: of each batch [B] in the training split.
        """
        self.network.train()
        self.inputs.train()
        of_all = torch.from_numpy(np.concatenate(positions)).to(self.runtime.device)  # one transfer for all steps
        batches = self.source.batches(self.rows[chosen] for chosen in positions)
        for batch, chosen in zip(batches, torch.split(of_all, [len(p) for p in positions]), strict=True):
            value = self._step(batch, chosen, loss, optimizer)
            schedule.after_step()
            yield value

    def _step(self, batch: Batch, chosen: Tensor, loss: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        target = self.targets[chosen]
        spectra = self.inputs.augmented(batch.flux, batch.ivar, batch.mask, target)
        channels, padding = self.inputs(*spectra)
        mixture = self._mix(channels, padding, target)
        if mixture:
            channels, padding = mixture.channels, mixture.padding
        with self.runtime.autocast():
            logits = self.compiled_network(channels, padding).float()
        value: Tensor = mixture.loss(loss, logits, target) if mixture else loss(logits, target)
        if self.teacher:
            wanted = self.teacher.targets(View(chosen, spectra, channels, padding, mixture), prior_of(loss))
            value = self.teacher.mixed(value, logits, wanted)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if self.settings.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        optimizer.step()
        if self.ema:
            self.ema.update_parameters(self.network)
        return value.detach()

    def _mix(self, channels: Tensor, padding: Tensor | None, target: Tensor) -> Mixture | None:
        alpha = self.settings.mixup_alpha
        return mix(channels, padding, target, alpha, self.settings.mixup_within) if alpha else None

    def _note_best(self, row: dict[str, Any], stage: Stage) -> None:
        """Save the weights if they are to be kept: of the best objective, of equal ones the later, or of the last."""
        score = row[self.settings.objective]
        sign = 1 if self.settings.maximize else -1
        if self.best_score is not None and sign * score <= sign * self.best_score:
            self.epochs_without_gain += 1
        else:
            self.epochs_without_gain = 0
        is_best = self.best_score is None or sign * score >= sign * self.best_score
        if is_best:
            self.best_score = score
        if is_best or self.settings.keeps_last:
            self.best_epoch, self.best_stage = self.epoch, stage
            write_weights(self.folder.weights, self._validated.state_dict())

    def _keep_snapshot(self) -> None:
        """Keep the weights of this epoch in a folder of its own, which is no run until they are scored."""
        snapshot = self.folder.snapshot(self.epoch)
        snapshot.result.unlink(missing_ok=True)  # of other weights, if the run has begun again
        write_weights(snapshot.weights, self._validated.state_dict())

    def _save(
        self, number: int, epoch_in_stage: int, optimizer: torch.optim.Optimizer, schedule: StageSchedule
    ) -> None:
        checkpoint = Checkpoint(
            stage=number,
            epoch_in_stage=epoch_in_stage,
            epoch=self.epoch,
            network=self.network.state_dict(),
            ema=self.ema.state_dict() if self.ema else None,
            optimizer=optimizer.state_dict(),
            lr_schedule=schedule.state_dict(),
            best_score=self.best_score,
            best_epoch=self.best_epoch,
            best_stage=self.stages.index(self.best_stage),
            epochs_without_gain=self.epochs_without_gain,
            train_s=self.train_s,
            rows=self.metrics,
            data_digest=self.settings.data_digest,
        )
        save_checkpoint(self.folder.checkpoint, checkpoint)

    def _restore(self, saved: Checkpoint, optimizer: torch.optim.Optimizer, schedule: StageSchedule) -> None:
        restore_network(self.network, saved, self.folder)
        if self.ema and saved.ema:
            self.ema.load_state_dict(saved.ema)
        optimizer.load_state_dict(saved.optimizer)
        schedule.load_state_dict(saved.lr_schedule)
        self.epoch, self.best_score, self.best_epoch = saved.epoch, saved.best_score, saved.best_epoch
        self.best_stage = self.stages[saved.best_stage]
        self.epochs_without_gain, self.train_s = saved.epochs_without_gain, saved.train_s
        self.progress.skip_epochs(saved.epoch)
