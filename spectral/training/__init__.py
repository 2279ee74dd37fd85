"""The training loop, and what it needs: samplers, optimizers, schedules, checkpoints."""
