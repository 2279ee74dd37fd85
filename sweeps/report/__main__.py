"""`python -m sweeps.report STUDY_OR_FOLDER`: writes report.html into the folder of the study or of the run."""

from sweeps.command_line import end_with
from sweeps.report.command import main

end_with(main)
