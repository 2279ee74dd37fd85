"""`python -m sweeps.report STUDY_OR_FOLDER`: writes report.html into the folder of the study or of the run."""

from sweeps.cli import end_with


def main() -> int:
    from sweeps.report.command import main as command  # here, so that Ctrl-C ends it well meanwhile

    return command()


end_with(main)
