"""One fresh clone for all end-to-end tests: whichever comes first installs the packages into it."""

from pathlib import Path

import pytest

from tests.end_to_end.portals import clone


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clone, in a folder whose name has a space in it."""
    return clone(tmp_path_factory.mktemp("elsewhere") / "fresh clone")
