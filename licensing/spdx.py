"""What SPDX knows of a license, and expressions in their canonical spelling.

Ids, names and approvals come from the SPDX list (see licensing.listing), categories from the ScanCode license
database that `license-expression` carries. What neither knows stays unknown.
"""

import re
from dataclasses import dataclass, replace
from functools import cache

from license_expression import get_license_index

from licensing import expressions, listing, spelling
from licensing.expressions import And, Expression, License, Or
from registry.errors import InvalidInput

__all__ = ["Facts", "exception_category", "facts", "forget", "is_known", "nearest", "normalize", "parse"]

CATEGORIES = {
    "Public Domain": "public-domain",
    "Permissive": "permissive",
    "Copyleft Limited": "weak-copyleft",
    "Copyleft": "strong-copyleft",
    "Source-available": "source-available",
    "Free Restricted": "proprietary",
    "Proprietary Free": "proprietary",
    "Commercial": "proprietary",
}
# ScanCode has no category of its own for licenses whose copyleft is set off by use over a network.
NETWORK = re.compile(r"^(AGPL|OSL|NPOSL|CPAL|RPL|EUPL|CAL)-", re.IGNORECASE)
NON_COMMERCIAL = re.compile(r"non[- ]?commercial", re.IGNORECASE)
# Not in the public domain, yet they ask for no notice to be kept.
WITHOUT_NOTICE = frozenset({"0BSD", "MIT-0"})
# Ids from before SPDX had WITH, and what its list says to write instead.
BEFORE_WITH = {
    "GPL-2.0-with-autoconf-exception": ("GPL-2.0-only", "Autoconf-exception-2.0"),
    "GPL-2.0-with-bison-exception": ("GPL-2.0-only", "Bison-exception-2.2"),
    "GPL-2.0-with-classpath-exception": ("GPL-2.0-only", "Classpath-exception-2.0"),
    "GPL-2.0-with-font-exception": ("GPL-2.0-only", "Font-exception-2.0"),
    "GPL-2.0-with-GCC-exception": ("GPL-2.0-only", "GCC-exception-2.0"),
    "GPL-3.0-with-autoconf-exception": ("GPL-3.0-only", "Autoconf-exception-3.0"),
    "GPL-3.0-with-GCC-exception": ("GPL-3.0-only", "GCC-exception-3.1"),
    "eCos-2.0": ("GPL-2.0-or-later", "eCos-exception-2.0"),
    "wxWindows": ("LGPL-2.0-or-later", "WxWindows-exception-3.1"),
}
FREE = frozenset({"public-domain", "permissive", "weak-copyleft", "strong-copyleft", "network-copyleft"})
REFERENCE = re.compile(r"^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$")


@dataclass(frozen=True, slots=True)
class Facts:
    """One license as SPDX lists it. `allows_commercial` and `fsf_libre` are None where nobody says.

    `successor` is the expression that took over from a deprecated id, "" where none did.
    """

    id: str
    name: str
    category: str
    requires_attribution: bool
    allows_commercial: bool | None
    osi_approved: bool
    fsf_libre: bool | None
    deprecated: bool
    successor: str

    @property
    def url(self) -> str:
        """Where SPDX publishes its text."""
        return f"https://spdx.org/licenses/{self.id}.html"


@cache
def _index() -> dict[str, dict]:
    """ScanCode's entries by SPDX key, lower case; the first entry that claims a key keeps it."""
    entries: dict[str, dict] = {}
    for entry in get_license_index():
        keys = [entry.get("spdx_license_key"), *entry.get("other_spdx_license_keys", ())]
        for key in filter(None, keys):
            entries.setdefault(key.lower(), entry)
    return entries


@cache
def _licenses() -> dict[str, str]:
    return {key.lower(): key for key in listing.in_force().licenses}


@cache
def _exceptions() -> dict[str, str]:
    return {key.lower(): key for key in listing.in_force().exceptions}


@cache
def facts(license_id: str) -> Facts | None:
    """What is known of an id, whatever its case; None for what SPDX does not list."""
    key = _licenses().get(license_id.lower())
    if key is None:
        return None
    listed = listing.in_force().licenses[key]
    category = _category(key, listed.name)
    free = category in FREE or listed.osi_approved or listed.fsf_libre
    return Facts(
        id=key,
        name=listed.name,
        category=category,
        requires_attribution=category != "public-domain" and key not in WITHOUT_NOTICE,
        allows_commercial=True if free else (None if category == "unknown" else False),
        osi_approved=listed.osi_approved,
        fsf_libre=listed.fsf_libre,
        deprecated=listed.deprecated,
        successor=_successor(key) if listed.deprecated else "",
    )


def _successor(key: str) -> str:
    current = normalize(key)
    return current if current != key else ""


def _category(key: str, name: str) -> str:
    if NON_COMMERCIAL.search(name):
        return "non-commercial"
    if NETWORK.match(key):
        return "network-copyleft"
    return CATEGORIES.get(_index().get(key.lower(), {}).get("category", ""), "unknown")


def exception_category(exception_id: str) -> str:
    """How far an exception opens a license: weak-copyleft or permissive, unknown where nobody says."""
    return CATEGORIES.get(_index().get(exception_id.lower(), {}).get("category", ""), "unknown")


def is_known(license_id: str) -> bool:
    """Whether SPDX lists the id."""
    return license_id.lower() in _licenses()


def nearest(text: str, count: int = 5) -> list[str]:
    """The ids that look most like the text, for an error that helps: those it names, then fewest edits first."""
    wanted = text.strip().lower()[: spelling.LONGEST]
    starts = sorted((key for key in _licenses() if wanted and key.startswith(wanted)), key=len)
    close = spelling.nearest(wanted, _licenses(), count)
    named = [key for key in re.split(r"[\s()]+", wanted) if key in _licenses()]
    return [_licenses()[key] for key in dict.fromkeys([*named, *close, *starts])][:count]


def parse(text: str) -> Expression:
    """The expression with every id in SPDX's spelling; raises InvalidInput for an id that SPDX does not list."""
    return _canonical(expressions.parse(text))


def normalize(text: str) -> str:
    """The canonical spelling: GPL-2.0+ becomes GPL-2.0-or-later, mit becomes MIT."""
    return str(parse(text))


def _canonical(tree: Expression) -> Expression:
    if isinstance(tree, License):
        return _canonical_license(tree)
    kind = And if isinstance(tree, And) else Or
    return expressions.combine(kind, [_canonical(part) for part in tree.parts])


def _canonical_license(leaf: License) -> Expression:
    exception = _exception(leaf.exception) if leaf.exception else ""
    if REFERENCE.match(leaf.id):
        return replace(leaf, exception=exception)
    listed = _licenses().get(leaf.id.lower())
    if listed is None:
        near = nearest(leaf.id, 3)
        hint = f" Perhaps you mean {' or '.join(near)}." if near else ""
        raise InvalidInput(f"“{leaf.id}” is no SPDX license id.{hint}", details={"license": near})
    license_id, or_later, implied = _current(listed, leaf.or_later)
    return License(license_id, or_later, exception or implied)


def _exception(text: str) -> str:
    known = _exceptions().get(text.lower())
    if known is None:
        raise InvalidInput(f"“{text}” is no SPDX license exception.")
    return known


def _current(listed: str, or_later: bool) -> tuple[str, bool, str]:
    """The id that took over from a deprecated one, whether “+” still has to be said, and an exception it implied."""
    ids = listing.in_force().licenses
    if f"{listed}-or-later" in ids:
        return (f"{listed}-or-later" if or_later else f"{listed}-only"), False, ""
    if or_later and listed.endswith(("-only", "-or-later")):
        return listed.removesuffix("-only").removesuffix("-or-later") + "-or-later", False, ""
    if listed.endswith("+") and f"{listed[:-1]}-or-later" in ids:
        return f"{listed[:-1]}-or-later", False, ""
    if listed in BEFORE_WITH:
        base, exception = BEFORE_WITH[listed]
        return base.replace("-only", "-or-later") if or_later else base, False, exception
    successor = str(_index().get(listed.lower(), {}).get("spdx_license_key") or listed)
    if ids[listed].deprecated and successor in ids:
        return successor, or_later, ""
    return listed, or_later, ""


def forget() -> None:
    """Read the list anew, after another one came into force."""
    for remembered in (_licenses, _exceptions, facts):
        remembered.cache_clear()
