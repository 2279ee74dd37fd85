"""Python imports this at its start from a folder on PYTHONPATH: see tests/helpers/killing.py."""

import killing

killing.arm_from_environment()
