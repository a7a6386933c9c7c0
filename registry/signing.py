"""The registry's signature on the files that it serves, as npm's clients check it (`npm audit signatures`).

It says that this registry gave out this file under this name and version; who published it is another question.
"""

import base64
import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import auditing, sealing
from accounts.actors import SYSTEM, Actor
from registry import ecosystems
from registry.models import Package, RegistryKey, RegistrySignature, Release

Signatures = dict[int, tuple[Mapping[str, str], ...]]  # by the file's primary key
logger = logging.getLogger(__name__)

SCHEME = "ecdsa-sha2-nistp256"
PURPOSE = "registry signing key"
TELLING = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
KEEPING = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


def sign_missing(package: Package, releases: Iterable[Release]) -> Signatures:
    """Sign what is served of the package and has no signature that counts; in the caller's transaction.

    Returns the signatures that count of each file, by the file's key.
    """
    lines = _lines(package, releases)
    done = dict(_kept(package)) if lines else {}
    if missing := [file for file in lines if file not in done]:
        key, private = _signing_key()
        rows = [
            RegistrySignature(artifact_id=file, key=key, signature=_sign(private, lines[file])) for file in missing
        ]
        RegistrySignature.objects.bulk_create(rows, ignore_conflicts=True)
        done |= {one.artifact_id: ({"keyid": key.keyid, "sig": one.signature},) for one in rows}
    return done


def signatures_of(package: Package, releases: Iterable[Release]) -> Signatures:
    """The signatures that count of each file, by the file's key; one query for a package, none where none is made."""
    return _kept(package) if _lines(package, releases) else {}


def told_keys() -> list[RegistryKey]:
    """What clients are to check with, the newest first; the first one is made where none is."""
    if RegistryKey.objects.current() is None:
        with transaction.atomic():
            _signing_key()
    return list(RegistryKey.objects.told())


def rotate(actor: Actor, *, revoke: bool = False) -> RegistryKey:
    """Make a new key. What the old one signed stays good, unless it is revoked: then all is to be signed anew.

    Whoever revokes one has the packages built again afterwards (`manage.py registry-key sign`).
    """
    now = timezone.now()
    with transaction.atomic():
        standing = RegistryKey.objects.filter(expires_at=None)
        before = list(standing.values_list("keyid", flat=True))
        standing.update(expires_at=now)
        if revoke:
            RegistryKey.objects.filter(keyid__in=before).update(revoked_at=now)
        made = _make()
        details = {"before": before, "revoked": revoke}
        auditing.record("registry_key.rotated", f"registry-key:{made.keyid}", actor, details=details)
    return made


def _lines(package: Package, releases: Iterable[Release]) -> dict[int, str]:
    """What is to be signed of each file that is served."""
    rules = ecosystems.get(package.ecosystem)
    served = ((one, file) for one in releases if one.is_served for file in one.artifacts.all() if file.blob_id)
    lines = {file.pk: rules.signed_line(package.name, one.version, file.integrity) for one, file in served}
    return {file: line for file, line in lines.items() if line}


def _kept(package: Package) -> Signatures:
    found: dict[int, list[Mapping[str, str]]] = defaultdict(list)
    rows = RegistrySignature.objects.filter(artifact__release__package=package, key__revoked_at=None).order_by("pk")
    for artifact, keyid, signature in rows.values_list("artifact_id", "key__keyid", "signature"):
        found[artifact].append({"keyid": keyid, "sig": signature})
    return {artifact: tuple(signed) for artifact, signed in found.items()}


def _signing_key() -> tuple[RegistryKey, ec.EllipticCurvePrivateKey]:
    """The key of now, made where there is none, or where another SECRET_KEY has sealed it."""
    key = RegistryKey.objects.current() or _first()
    private = _opened(key.sealed)
    if private is None:
        logger.warning("SECRET_KEY does not open the registry's signing key %s: a new one signs from now on.", key)
        key = rotate(SYSTEM)
        private = _opened(key.sealed)
    if private is None:
        raise RuntimeError("A key that was sealed just now cannot be opened.")
    return key, private


def _first() -> RegistryKey:
    """The first key; whoever makes it at the same moment as others takes theirs."""
    try:
        with transaction.atomic():
            made = _make()
            auditing.record("registry_key.made", f"registry-key:{made.keyid}", SYSTEM)
            return made
    except IntegrityError:
        return RegistryKey.objects.told().get(expires_at=None)


def _make() -> RegistryKey:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(*TELLING)
    return RegistryKey.objects.create(
        keyid="SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("="),
        scheme=SCHEME,
        public_key=base64.b64encode(public).decode(),
        sealed=sealing.seal(private.private_bytes(*KEEPING).decode(), PURPOSE),
    )


def _opened(sealed: str) -> ec.EllipticCurvePrivateKey | None:
    opened = sealing.unseal(sealed, PURPOSE)
    private = serialization.load_pem_private_key(opened.encode(), None) if opened else None
    return private if isinstance(private, ec.EllipticCurvePrivateKey) else None


def _sign(private: ec.EllipticCurvePrivateKey, line: str) -> str:
    return base64.b64encode(private.sign(line.encode(), ec.ECDSA(hashes.SHA256()))).decode()
