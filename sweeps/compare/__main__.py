"""`python -m sweeps.compare A B ...`."""

from sweeps.command_line import end_with
from sweeps.compare.command import main

end_with(main)
