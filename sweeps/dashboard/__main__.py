"""`python -m sweeps.dashboard`."""

from sweeps.command_line import end_with
from sweeps.dashboard.command import main

end_with(main)
