"""The programs that some tests drive: a browser, npm, nginx, ssh-keygen. `python -m tests.tools` brings what it can.

A missing program skips its tests and says so; with REQUIRE_ALL=1 it fails them.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# In an environment of their own: their many dependencies are none of ours.
OWN = Path(sys.prefix) / "clients"
MODULES = OWN / "node_modules"
NAMES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "ssh-keygen": ("ssh-keygen",),
    "curl": ("curl",),
    "git": ("git",),
    "npm": ("npm",),
    "node": ("node",),
    "nginx": ("nginx", "/usr/sbin/nginx"),
    "jq": ("jq",),
    "twine": (str(OWN / "bin" / "twine"),),
    "uv": (str(OWN / "bin" / "uv"),),
    "pnpm": (str(MODULES / "pnpm" / "bin" / "pnpm.cjs"),),
    "yarn": (str(MODULES / "yarn" / "bin" / "yarn.js"),),
    "yarn-berry": (str(MODULES / "@yarnpkg" / "cli-dist" / "bin" / "yarn.js"),),
}
PACKAGES = {
    "chromium": "chromium",
    "ssh-keygen": "openssh-client",
    "curl": "curl",
    "npm": "npm",
    "node": "nodejs",
    "nginx": "nginx-light",
    "jq": "jq",
}
CLIENTS = {"twine": "twine==7.0.0", "uv": "uv==0.13.9"}
NODE_CLIENTS = {"pnpm": "pnpm@10.18.0", "yarn": "yarn@1.22.22", "yarn-berry": "@yarnpkg/cli-dist@4.10.3"}


def find(tool: str) -> str | None:
    """The program's path: from the environment (CHROMIUM), the PATH, or Playwright's own browser."""
    if given := os.environ.get(tool.upper().replace("-", "_")):
        return given
    for name in NAMES[tool]:
        if found := shutil.which(name):
            return found
    return _playwrights_own() if tool == "chromium" else None


def _playwrights_own() -> str | None:
    with contextlib.suppress(Exception):  # Playwright is broken or has no browser: the same to us
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
            return path if Path(path).exists() else None
    return None


def need(tool: str) -> str:
    """The program's path, for a test that cannot do without it."""
    if found := find(tool):
        return found
    reason = f"{tool} is not installed here"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{reason}, and REQUIRE_ALL=1 says that it must be.")
    pytest.skip(reason)


def bring() -> list[str]:
    """Install what is missing with Debian's own tool where we may; returns what is missing still."""
    missing = [tool for tool in NAMES if find(tool) is None]
    packages = [PACKAGES[tool] for tool in missing if tool in PACKAGES]
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing for the tests: {', '.join(packages)}", flush=True)
        quiet = {
            "check": False,
            "stdout": subprocess.DEVNULL,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], **quiet)
    if wanted := [CLIENTS[tool] for tool in missing if tool in CLIENTS]:
        print(f"Installing for the tests: {', '.join(wanted)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", OWN], check=False)
        subprocess.run([OWN / "bin" / "pip", "install", "--quiet", *wanted], check=False)
    if (npm := find("npm")) and (wanted := [NODE_CLIENTS[tool] for tool in missing if tool in NODE_CLIENTS]):
        print(f"Installing for the tests: {', '.join(wanted)}", flush=True)
        quietly = ["--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([npm, "install", "--prefix", OWN, *quietly, *NODE_CLIENTS.values()], check=False)
    return [tool for tool in missing if find(tool) is None]


def main() -> int:
    """Bring the tools; a missing one is an error only where everything is required."""
    if missing := bring():
        print(f"Missing: {', '.join(missing)}. The tests that need them are skipped.", file=sys.stderr)
        return 1 if os.environ.get("REQUIRE_ALL") == "1" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
