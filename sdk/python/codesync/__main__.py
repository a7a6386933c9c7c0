"""The command `codesync`."""

import sys
from typing import NoReturn

from codesync.errors import Exit, Mistake


def main() -> NoReturn:
    """Run it; whatever happens, it ends with a code of `Exit` and one line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without our signs shows others
    try:
        from codesync.commands.app import app  # within, so that Ctrl-C is quiet from the first moment on

        sys.exit(app(prog_name="codesync", standalone_mode=False) or 0)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as problem:
        sys.exit(_wrong_use(problem))


def _wrong_use(problem: Exception) -> Exit:
    """Options that do not exist and the like; what is none of these is a bug, and shows itself as one."""
    tell = getattr(problem, "format_message", None)
    if tell is None:
        raise problem
    from codesync.commands.desk import Choices, Desk

    told = tell()
    if "\n" in told:  # `codesync token` alone: its help
        sys.stderr.write(told + "\n")
        return Exit.USAGE
    ours = Desk(Choices(as_json="--json" in sys.argv))
    return ours.fail(Mistake(f"{told} See `codesync --help`."))


if __name__ == "__main__":
    main()
