"""Attestations as they come with a file (PEP 740): their shape, and whether they speak of this very file.

The signatures and certificates in them are not verified: who relies on them does that, as pip's users do with the
provenance of any index.
"""

import base64
import binascii
import json
import re
from typing import Any

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from registry.errors import InvalidInput

MOST = 4
MAX_BYTES = 512 * 1024
STATEMENT = "https://in-toto.io/Statement/v1"
KIND = re.compile(r"https://[a-z0-9.-]{1,100}/(?:attestations/publish|provenance)/v1")  # PEP 740, and SLSA's


def read(text: str, filename: str, sha256: str) -> tuple[dict[str, Any], ...]:
    """The attestations of the field, each a version 1 object whose statement names the file and its digest.

    Raises InvalidInput for another shape, more than four, or another file.
    """
    if not text:
        return ()
    try:
        found = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not 0 < len(found) <= MOST:
        raise _refusal(f"is a JSON array of at most {MOST} attestations, of {MAX_BYTES // 1024} KB at most")
    kinds = [_check(one, filename, sha256) for one in found]
    if len(set(kinds)) != len(kinds):
        raise _refusal("holds two of one kind")
    return tuple(found)


def provenance(publisher: dict[str, Any], attestations: list[Any]) -> dict[str, Any]:
    """What is served of them: version 1 of the provenance object, all in one bundle."""
    return {"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": attestations}]}


def _check(one: Any, filename: str, sha256: str) -> str:
    """The kind of one attestation whose shape is right and which speaks of the file."""
    envelope, material = _part(one, "envelope"), _part(one, "verification_material")
    entries = material.get("transparency_entries")
    if one.get("version") != 1 or not isinstance(entries, list) or not all(isinstance(it, dict) for it in entries):
        raise _refusal("holds an attestation that is none of version 1")
    _decoded(material.get("certificate"))
    _decoded(envelope.get("signature"))
    statement = _statement(_decoded(envelope.get("statement")))
    subjects = statement.get("subject")
    if statement.get("_type") != STATEMENT or not KIND.fullmatch(str(statement.get("predicateType"))):
        raise _refusal("holds a statement of an unknown type")
    subject = subjects[0] if isinstance(subjects, list) and len(subjects) == 1 else None
    if not isinstance(subject, dict) or not _is_same(str(subject.get("name")), filename):
        raise _refusal("speaks of another file")
    if _part(subject, "digest").get("sha256") != sha256:
        raise _refusal("speaks of other bytes than those of the file")
    return str(statement["predicateType"])


def _part(of: Any, name: str) -> dict[str, Any]:
    part = of.get(name) if isinstance(of, dict) else None
    if not isinstance(part, dict):
        raise _refusal(f"holds an attestation without “{name}”")
    return part


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) and text else _nothing()
    except binascii.Error as error:
        raise _refusal("holds what should be base64 and is not") from error


def _nothing() -> bytes:
    raise _refusal("holds an attestation that lacks its certificate, statement or signature")


def _statement(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refusal("holds a statement that is no JSON object")
    return found


def _is_same(named: str, filename: str) -> bool:
    """Whether both are names of one file, however its name and version are spelled in them."""
    return named == filename or (_parsed(named) is not None and _parsed(named) == _parsed(filename))


def _parsed(filename: str) -> tuple[Any, ...] | None:
    try:
        return parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _refusal(why: str) -> InvalidInput:
    return InvalidInput(f"The field “attestations” {why} (PEP 740).", details={"attestations": [why]})
