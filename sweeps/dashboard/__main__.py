"""`python -m sweeps.dashboard`."""

from sweeps.cli import end_with


def main() -> int:
    from sweeps.dashboard.command import main as command  # here, so that Ctrl-C ends it well meanwhile

    return command()


end_with(main)
