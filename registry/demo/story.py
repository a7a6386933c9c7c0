"""What happened in the demo: who published or asked for what, and how it was decided."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One package file, how it came here, and what a maintainer said about it ("" leaves it to the machines)."""

    file: str
    name: str
    version: str
    by: str
    category: str
    asked_for: str = ""
    decision: str = ""
    reason: str = ""

    @property
    def ecosystem(self) -> str:
        """The folder that the file lies in."""
        return self.file.partition("/")[0]

    @property
    def is_published(self) -> bool:
        """Published and signed by its person; else submitted for review."""
        return not self.asked_for


STORY = (
    Step("npm/is-number-6.0.0.tgz", "is-number", "6.0.0", "alice", "DEVTOOLS"),
    Step("npm/is-number-7.0.0.tgz", "is-number", "7.0.0", "alice", "DEVTOOLS"),
    Step("npm/chalk-4.1.2.tgz", "chalk", "4.1.2", "alice", "CLI"),
    Step("npm/chalk-5.3.0.tgz", "chalk", "5.3.0", "alice", "CLI"),
    Step("npm/types-ms-0.7.31.tgz", "@types/ms", "0.7.31", "alice", "DEVTOOLS"),
    Step("npm/left-pad-1.3.0.tgz", "left-pad", "1.3.0", "alice", "TEXT"),
    Step("npm/qs-6.5.2.tgz", "qs", "6.5.2", "alice", "WEB"),
    Step("pypi/six-1.16.0-py2.py3-none-any.whl", "six", "1.16.0", "carol", "DEVTOOLS"),
    Step("pypi/itsdangerous-2.1.2-py3-none-any.whl", "itsdangerous", "2.1.2", "carol", "SECURITY"),
    Step("pypi/MarkupSafe-2.1.3.tar.gz", "MarkupSafe", "2.1.3", "carol", "WEB"),
    Step(
        "npm/minimist-1.2.8.tgz",
        "minimist",
        "1.2.8",
        "carol",
        "CLI",
        "The build scripts parse their arguments with it.",
        "approve",
        "Small, mended, and we need it.",
    ),
    Step(
        "npm/minimist-1.2.5.tgz",
        "minimist",
        "1.2.5",
        "alice",
        "CLI",
        "An old build pins this version.",
        "reject",
        "Prototype pollution. Version 1.2.8 is approved: use that one.",
    ),
    Step(
        "npm/semver-7.5.4.tgz",
        "semver",
        "7.5.4",
        "alice",
        "DEVTOOLS",
        "To compare versions in the release scripts.",
        "approve",
        "The reference implementation, under ISC.",
    ),
    Step(
        "npm/semver-7.3.0.tgz",
        "semver",
        "7.3.0",
        "carol",
        "DEVTOOLS",
        "The lock file of the billing service names it.",
    ),
    Step(
        "npm/babel-code-frame-7.22.5.tgz",
        "@babel/code-frame",
        "7.22.5",
        "alice",
        "DEVTOOLS",
        "For readable error messages in the template compiler.",
        "approve",
        "Looked through it; nothing unusual.",
    ),
    Step(
        "npm/bcrypt-5.1.0.tgz",
        "bcrypt",
        "5.1.0",
        "alice",
        "SECURITY",
        "To hash the passwords of the customer portal.",
    ),
    Step(
        "pypi/requests-2.31.0-py3-none-any.whl",
        "requests",
        "2.31.0",
        "alice",
        "NETWORK",
        "Every second script here wants it.",
        "approve",
        "Widely used, Apache-2.0, no known flaw in our advisories.",
    ),
    Step(
        "pypi/click-8.1.7-py3-none-any.whl",
        "click",
        "8.1.7",
        "carol",
        "CLI",
        "For the new command line of the deployment tool.",
        "approve",
        "Well kept, BSD-3-Clause.",
    ),
    Step(
        "pypi/certifi-2023.7.22-py3-none-any.whl",
        "certifi",
        "2023.7.22",
        "alice",
        "SECURITY",
        "requests depends on it.",
    ),
    Step(
        "pypi/urllib3-1.26.5-py2.py3-none-any.whl",
        "urllib3",
        "1.26.5",
        "carol",
        "NETWORK",
        "requests depends on it.",
    ),
    Step(
        "pypi/Jinja2-2.11.2-py2.py3-none-any.whl",
        "Jinja2",
        "2.11.2",
        "alice",
        "WEB",
        "The old documentation site renders with it.",
    ),
    # packed from our own sources: see sdk.py
    Step("npm/codesync-sdk-1.0.0.tgz", "@codesync/sdk", "1.0.0", "alice", "DEVTOOLS"),
)
