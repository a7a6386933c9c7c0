"""How a version is installed: lines that lead to this portal and its gates, for the host that the page is seen on."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.http import HttpRequest

from accounts.addresses import origin_of
from registry import documents, ecosystems, explaining, grants
from registry.ecosystems.naming import shell_word
from registry.models import Artifact, Package, Release

TOKEN = "CODESYNC_TOKEN"  # noqa: S105  # the name of a shell variable that readers fill themselves


@dataclass(frozen=True, slots=True)
class Installing:
    """Client and command line, and what has to be said beside them."""

    commands: tuple[tuple[str, str], ...] = ()
    is_private: bool = False
    has_no_file: bool = False
    has_needs: bool = False
    token_name: str = TOKEN
    needs_grant: bool = False  # a product: tokens are granted it one by one


def of(
    request: HttpRequest,
    release: Release | None,
    files: Sequence[Artifact],
    explanation: explaining.Explanation | None,
    *,
    is_ambiguous: bool,
    has_needs: bool,
) -> Installing | None:
    """The lines for a version that this reader may have; None for what is not served, unlisted or not for them."""
    if release is None or explanation is None or explanation.answer != "allow":
        return None
    if not release.is_served or release.is_unlisted:
        return None
    if not files or files[0].blob_id is None:
        return Installing(has_no_file=True)
    package, primary = release.package, files[0]
    address = origin_of(request) + file_path(package, release.version, primary.filename, is_ambiguous=is_ambiguous)
    lines = _after_fetching(package, primary, address) if package.is_private else _at_once(package, primary, address)
    is_product = grants.find_product(package) is not None
    return Installing(tuple(lines), package.is_private, has_needs=has_needs, needs_grant=is_product)


def file_path(package: Package, version: str, filename: str, *, is_ambiguous: bool) -> str:
    """The API path of a file; where other ecosystems hold the name, it says which one is meant."""
    path = f"{documents.version_url(package, version)}/files/{quote(filename, safe='+')}"
    return f"{path}?ecosystem={package.ecosystem}" if is_ambiguous else path


def _at_once(package: Package, file: Artifact, address: str) -> list[tuple[str, str]]:
    """Clients that take an address; plain curl where none does."""
    rules = ecosystems.get(package.ecosystem)
    return rules.install_commands(package.name, address, file.sha256) or [("curl", f"curl -fOJ {shell_word(address)}")]


def _after_fetching(package: Package, file: Artifact, address: str) -> list[tuple[str, str]]:
    """Clients send the portal no token of their own accord, so curl fetches the file that they then install."""
    fetch = f'curl -fOJ -H "Authorization: Bearer ${TOKEN}" {shell_word(address)}'
    local = ecosystems.get(package.ecosystem).install_commands(package.name, f"./{file.filename}")
    return [(client, f"{fetch} && {line}") for client, line in local] or [("curl", fetch)]
