"""`python -m sweeps.compare A B ...`."""

from sweeps.cli import end_with


def main() -> int:
    from sweeps.compare.command import main as command  # here, so that Ctrl-C ends it well meanwhile

    return command()


end_with(main)
