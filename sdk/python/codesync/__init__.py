"""The Python client of a CodeSync Registry, and its command line.

>>> from codesync import Client
>>> with Client("https://packages.example.com", token) as portal:
...     portal.packages.resolve("@acme-utils/core", "^1.2")["version"]
"""

__version__ = "0.1.0"

from codesync.client import Client
from codesync.errors import ApiError, CodeSyncError, NotVerified, Unreachable

__all__ = ["ApiError", "Client", "CodeSyncError", "NotVerified", "Unreachable", "__version__"]
