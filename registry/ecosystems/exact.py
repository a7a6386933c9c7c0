"""Ranges of ecosystems whose versions are mere names: one version, or any."""

from collections.abc import Callable, Iterable

from registry.ecosystems.base import Ecosystem
from registry.ecosystems.naming import invalid_range
from registry.ecosystems.semver import MAX_LENGTH
from registry.errors import InvalidInput


class ExactRange:
    """Exactly the version it names; `*` or nothing stands for any that is no pre-release."""

    def __init__(self, text: str, canonical: Callable[[str], str]) -> None:
        self.text = text.strip()
        if len(self.text) > MAX_LENGTH:
            raise invalid_range(text, f"it is longer than {MAX_LENGTH} characters")
        self.is_any = self.text in ("", "*")
        if not self.is_any:
            try:
                canonical(self.text)
            except InvalidInput as error:
                raise invalid_range(text, "name one version, or “*” for any") from error

    def contains(self, version: str, *, prerelease: bool = False) -> bool:
        """Whether it is the version, or any is good."""
        return self.is_any or version == self.text


def best_of(ecosystem: Ecosystem, versions: Iterable[str], text: str, prerelease: bool) -> str | None:
    """The highest version in range; pre-releases only where asked for, named, or alone."""
    wanted = ecosystem.parse_range(text)
    fitting = [version for version in versions if wanted.contains(version, prerelease=prerelease)]
    final = [version for version in fitting if prerelease or not ecosystem.is_prerelease(version)]
    return max(final or fitting, key=ecosystem.sort_key, default=None)
