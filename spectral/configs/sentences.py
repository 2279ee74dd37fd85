"""Turn what Hydra and OmegaConf raise for a wrong key or type into one sentence a user can act on."""

import dataclasses
import re
from collections.abc import Sequence

from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from spectral.errors import nearest


def config_sentence(error: OmegaConfBaseException, fields: Sequence[str], prefix: str = "") -> str:
    """The sentence for one OmegaConf error.

    Args:
        error: what merging or reading a config raised.
        fields: the valid keys beside the one at fault, where the error does not tell them itself.
        prefix: where the merged node stands in the whole config, such as "model".
    """
    full_key = str(error.full_key or error.key or "")
    key = f"{prefix}.{full_key}" if prefix and full_key and not full_key.startswith(prefix) else full_key or prefix
    if isinstance(error, ConfigKeyError | AttributeError):
        kind = error.object_type
        known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else fields
        known = [name for name in known if name != "name"]
        if kind is dict:  # of keys that the user chooses
            beside = f"{nearest(str(error.key), known)}; " if known else ""
            return f"{key} is not a known key: {beside}a new one is given with a plus, as in +{key}=..."
        return f"{key} is not a known key: {nearest(str(error.key), known)}."
    if isinstance(error, ValidationError) and re.match(r"Cannot assign \w+ to Dict", str(error)):
        return f"{key} has the wrong type: allowed is a mapping, such as {{a: 1}}."
    if "does not support deletion" in str(error):
        return f"{key} cannot be deleted: give it another value, such as null, [] or {{}}."
    if isinstance(error, ValidationError) and (match := re.match(r"Value '(.*?)' .*converted to (\w+)", str(error))):
        return f"{key}={match[1]} has the wrong type: allowed is {_ARTICLES.get(match[2], match[2])}."
    if isinstance(error, ValidationError) and "is not a ListConfig" in str(error):
        return f"{key} has the wrong type: allowed is a list, such as [1,2]."
    return f"{key} is not valid: {str(error).splitlines()[0].strip().rstrip('.')}."


_ARTICLES = {"Integer": "an integer", "Float": "a number", "Bool": "true or false", "String": "text"}
