"""CycloneDX bills of materials as JSON, 1.2 and later (cyclonedx.org): components by their purls."""

from collections.abc import Iterator
from typing import Any

from registry.errors import InvalidInput
from scanning.lockfiles import purls
from scanning.lockfiles.base import FIELD, Lockfile, fault, license_text, text_of
from scanning.lockfiles.structures import json_object

NO_PURL = "The component carries no purl that could be read, so nobody knows which package it is."
# Parts of packages, not packages.
PASSED_OVER = ("file", "data", "cryptographic-asset")


def looks_alike(document: dict[str, Any]) -> bool:
    """Whether the JSON document is one."""
    return document.get("bomFormat") == "CycloneDX"


def read(text: str) -> Lockfile:
    """The described component where it has a purl, and every component at any depth. Raises InvalidInput."""
    document, found = json_object(text), Lockfile()
    if not looks_alike(document):
        raise fault("Its “bomFormat” is not “CycloneDX”. Of other bills of materials, convert them first.")
    found.license = _license(_described(document))
    for component, where in _components(document):
        _add(component, where, found)
    return found


def _described(document: dict[str, Any]) -> dict[str, Any]:
    """What the bill is about; empty where it does not say."""
    metadata = document.get("metadata")
    described = metadata.get("component") if isinstance(metadata, dict) else None
    return described if isinstance(described, dict) else {}


def _license(component: dict[str, Any]) -> str:
    """Its one license or expression; several beside each other do not say whether all bind or one may be chosen."""
    licenses = component.get("licenses")
    choice = licenses[0] if isinstance(licenses, list) and len(licenses) == 1 else None
    if not isinstance(choice, dict):
        return ""
    named = choice.get("license")
    if not isinstance(named, dict):
        return license_text(choice.get("expression"))
    return license_text(named.get("id") or named.get("name"))


def _components(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    described = _described(document)
    if described.get("purl"):
        yield described, "metadata.component"
    waiting: list[tuple[Any, str]] = [(document.get("components", []), "components")]
    while waiting:
        components, where = waiting.pop()
        if not isinstance(components, list):
            raise fault("It is no list.", where)
        for number, component in enumerate(components):
            place = f"{where}[{number}]"
            if not isinstance(component, dict):
                raise fault("The component is no object.", place)
            yield component, place
            if "components" in component:
                waiting.append((component["components"], f"{place[-200:]}.components"))


def _add(component: dict[str, Any], where: str, found: Lockfile) -> None:
    purl, kind = text_of(component, "purl", where), text_of(component, "type", where)
    if not purl and kind in PASSED_OVER:
        return
    try:
        pin = purls.pin_of(purl, where, FIELD)
    except InvalidInput:
        named = f"{text_of(component, 'name', where)} {text_of(component, 'version', where)}".strip()
        found.leave(named or where, NO_PURL)
        return
    found.add(pin, where)
