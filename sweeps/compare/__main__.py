"""`python -m sweeps.compare A B ...`."""

from sweeps.command_line import end_with


def main() -> int:
    from sweeps.compare.command import main as command  # here, so that Ctrl-C ends it well meanwhile

    return command()


end_with(main)
