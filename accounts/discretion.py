"""Logs without secrets: whatever looks like an API token is cut where it would be written, tracebacks included.

No framework in here: gunicorn loads it before there is any.
"""

import logging
import re

# Our own tokens wherever they stand, and the addresses that end in a token by protocol (contract section 10, npm).
TOKEN = re.compile(r"(sk_live_[0-9A-Za-z]{4})[0-9A-Za-z]+")
ADDRESS = re.compile(r"(/(?:fetch|prune|-/v1/done|-/user/token)/)[^\s?\"'#]+")


def discreet(text: str) -> str:
    """The text with tokens cut to their first characters."""
    return ADDRESS.sub(r"\1…", TOKEN.sub(r"\1…", text))


class DiscreetFormatter(logging.Formatter):
    """Formats a line, then leaves out what nobody should read in a log."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return discreet(super().format(record))
