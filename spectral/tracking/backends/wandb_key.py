"""Whether Weights & Biases finds a key."""

import wandb
from wandb.sdk.lib import wbauth

NO_KEY = "no key was found"
NOT_VALID = "the key is not a valid one"


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
    print(why_no_key(wandb.Settings(silent=True)))
