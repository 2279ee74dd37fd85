"""The variable that sets the mode of Weights & Biases, and the modes that the library knows. Imports nothing."""

WANDB_MODE = "WANDB_MODE"
WANDB_MODES = ("disabled", "offline", "online", "shared")
WANDB_ALIASES = {"dryrun": "offline", "run": "online"}  # the library's older names
