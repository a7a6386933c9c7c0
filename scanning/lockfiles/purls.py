"""Package URLs (github.com/package-url/purl-spec), of any type."""

from packageurl import PackageURL

from registry.ecosystems.naming import shorten
from scanning.lockfiles.base import KNOWN, Pin, check, fault

ALIASES = {"oci": "docker"}
LONGEST = 1_024


def pin_of(text: str, where: str, field: str) -> Pin:
    """The pin that a package URL means; raises InvalidInput for what is none.

    Types that this portal has no advisories for are pins, too: nothing can be said of them. Qualifiers are not read.
    """
    try:
        parsed = PackageURL.from_string(text) if len(text) <= LONGEST and text.isprintable() else None
    except ValueError:
        parsed = None
    if parsed is None:
        said = f"“{shorten(text[:200], 80)}” is no package URL. Give it as in pkg:npm/lodash@4.17.15."
        raise fault(said, where, field=field)
    ecosystem = ALIASES.get(parsed.type, parsed.type)
    separator = ":" if ecosystem == "maven" else "/"
    name = f"{parsed.namespace}{separator}{parsed.name}" if parsed.namespace else parsed.name
    known = ecosystem if ecosystem in KNOWN else parsed.type
    pin = Pin(known, name, parsed.version or "", given=text)
    check(pin, where, field)
    return pin
