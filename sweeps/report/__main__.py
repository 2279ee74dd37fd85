"""`python -m sweeps.report STUDY_OR_FOLDER`: writes report.html into the folder of the study or of the run."""

import sys

from sweeps.report.command import main

sys.exit(main())
