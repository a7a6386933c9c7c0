"""The command `codesync`."""

import sys

from codesync.commands.app import app


def main() -> None:
    """Run it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without our signs shows others
    app(prog_name="codesync")


if __name__ == "__main__":
    main()
