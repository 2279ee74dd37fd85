"""`python -m sweeps.ls [FOLDER]`."""

from sweeps.cli import end_with


def main() -> int:
    from sweeps.ls.command import main as command  # here, so that Ctrl-C ends it well meanwhile

    return command()


end_with(main)
