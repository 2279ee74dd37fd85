"""`python -m sweeps.ls [FOLDER]`."""

from sweeps.command_line import end_with
from sweeps.ls.command import main

end_with(main)
