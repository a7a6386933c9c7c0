"""What the browser tests of the catalogue stand on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import builders, tools


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=tools.need("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def only_our_gates(settings) -> None:
    """The license policy is seeded by a migration, and a test that drives a server ends with emptied tables."""
    ours = ["registry.gates.checks_pass", "registry.gates.review_policy"]
    settings.REGISTRY_GATES = {**settings.REGISTRY_GATES, "approving": ours}


@pytest.fixture
def left_pad(only_our_gates, alice, tmp_path):
    archive = builders.npm_tarball(files={"README.md": "# Left pad\n\n" + "Pads strings.\n" * 40})
    return builders.published(alice, builders.key_pair(tmp_path), archive)
