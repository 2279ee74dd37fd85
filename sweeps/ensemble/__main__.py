"""`python -m sweeps.ensemble STUDY --out FOLDER`."""

from sweeps.cli import end_with


def main() -> int:
    from sweeps.ensemble.command import main as command  # inside main: Ctrl-C during the import also ends it well

    return command()


end_with(main)
