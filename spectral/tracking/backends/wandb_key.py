"""Whether Weights & Biases finds a key."""

import os

import wandb
from wandb.sdk.lib import wbauth

from spectral.wandb_modes import WANDB_ALIASES, WANDB_MODE

NO_KEY = "no key was found"
NOT_VALID = "the key is not a valid one"


def mode_of_environment() -> str | None:
    """The mode that WANDB_MODE names; None if it names none. An empty one is removed, since the library refuses it."""
    if not (named := os.environ.get(WANDB_MODE)):
        os.environ.pop(WANDB_MODE, None)
        return None
    return WANDB_ALIASES.get(named, named)


def why_no_key(settings: wandb.Settings) -> str:
    """Without a call to a server. Empty if there is a key."""
    host = wandb.setup(settings).settings.base_url
    try:
        found = wbauth.authenticate_session(host=host, source="spectral", prompt=False, update_session=False)
    except wandb.errors.AuthenticationError:
        return NOT_VALID
    return "" if found else NO_KEY


def main() -> None:
    """Print it."""
    mode_of_environment()
    print(why_no_key(wandb.Settings(silent=True)))
