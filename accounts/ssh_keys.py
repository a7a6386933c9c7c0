"""SSH public keys in the wire format of RFC 4253 and PROTOCOL.u2f: read strictly, verified with `cryptography`."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from accounts.ssh_wire import KeyInvalid, Reader

LONGEST_KEY = 8 * 1024
SMALLEST_RSA = 3072
LARGEST_RSA = 16384
RSA_HASHES: dict[str, hashes.HashAlgorithm] = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
CURVES: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}
# Bits and kind, as OpenSSH says them; those of RSA vary.
SHOWN_AS = {
    "ssh-ed25519": (256, "ED25519"),
    "ecdsa-sha2-nistp256": (256, "ECDSA"),
    "ecdsa-sha2-nistp384": (384, "ECDSA"),
    "ecdsa-sha2-nistp521": (521, "ECDSA"),
    "sk-ssh-ed25519@openssh.com": (256, "ED25519-SK"),
    "sk-ecdsa-sha2-nistp256@openssh.com": (256, "ECDSA-SK"),
}
USER_PRESENT = 0x01
# The y coordinates (sign bit cleared) of Ed25519's points of small order: a key among them "signs" everything.
WEAK_POINTS = {
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}
ACCEPTED = "Ed25519, ECDSA and RSA (3072 bits or more) keys are accepted, hardware-backed sk- keys too."


class Verifier(Protocol):
    """What each kind of key can do: say whether it signed the message. Raises InvalidSignature or KeyInvalid."""

    def __call__(self, scheme: str, value: bytes, message: bytes) -> None:
        """Return if the value is a signature of that scheme over the message."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that can verify."""

    algorithm: str
    blob: bytes
    verify: Verifier

    @property
    def line(self) -> str:
        """The key as a .pub file has it, without its comment."""
        return f"{self.algorithm} {base64.b64encode(self.blob).decode()}"

    @property
    def is_hardware_backed(self) -> bool:
        """Whether a security key holds the private half."""
        return self.algorithm.startswith("sk-")


def fingerprint_of(blob: bytes) -> str:
    """The fingerprint as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode()


def described(line: str, comment: str) -> str:
    """The key as `ssh-keygen -l` shows it: bits, fingerprint, comment, kind."""
    key = read_line(line)
    bits, kind = SHOWN_AS.get(key.algorithm) or (_modulus_of(key.blob).bit_length(), "RSA")
    return f"{bits} {fingerprint_of(key.blob)} {comment} ({kind})"


def read_line(line: str) -> PublicKey:
    """The key of one line of a .pub file, with or without a comment. Raises KeyInvalid."""
    if "PRIVATE KEY" in line:
        raise KeyInvalid("This is a private key. Keep it to yourself, and paste the line of the .pub file.")
    words = line.strip().split(None, 2)
    if len(line) > LONGEST_KEY or "\n" in line.strip() or "\r" in line.strip() or "\x00" in line or len(words) < 2:
        raise KeyInvalid("Paste the one line of your .pub file: it begins with ssh-ed25519, ecdsa- or ssh-rsa.")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyInvalid("The key is damaged: its second word is not base64. Copy the line again.") from error
    key = _accepted(blob)
    if words[0] != key.algorithm or base64.b64encode(blob).decode() != words[1]:
        raise KeyInvalid("The key is damaged: its two halves name different algorithms. Copy the line again.")
    return key


def read_public_key(blob: bytes) -> PublicKey:
    """The key in its wire format, read to its last byte. Raises KeyInvalid."""
    reader = Reader(blob)
    algorithm = reader.string().decode("ascii", "replace")
    kind = KINDS.get(algorithm)
    if kind is None:
        raise KeyInvalid(f"keys of the kind {_shown(algorithm)} are not accepted. {ACCEPTED}")
    verify = kind(reader, algorithm)
    reader.end()
    return PublicKey(algorithm, blob, verify)


def _accepted(blob: bytes) -> PublicKey:
    """The key, its refusal worded for someone who pastes one."""
    try:
        return read_public_key(blob)
    except KeyInvalid as error:
        raise KeyInvalid(
            f"This key cannot be used: {error.message}", details={"public_key": [error.message]}
        ) from error


def _ed25519(reader: Reader, algorithm: str) -> Verifier:
    point = reader.string()
    if len(point) != 32:
        raise KeyInvalid("an Ed25519 key has 32 bytes.")
    if point[:31] + bytes([point[31] & 0x7F]) in WEAK_POINTS:
        raise KeyInvalid("it is a weak key that fits every signature.")
    key = ed25519.Ed25519PublicKey.from_public_bytes(point)

    def verify(scheme: str, value: bytes, message: bytes) -> None:
        _same(scheme, algorithm)
        if len(value) != 64:
            raise KeyInvalid("an Ed25519 signature has 64 bytes.")
        key.verify(value, message)

    return verify


def _ecdsa(reader: Reader, algorithm: str) -> Verifier:
    key, digest = _curve_point(reader, algorithm.removeprefix("ecdsa-sha2-"))

    def verify(scheme: str, value: bytes, message: bytes) -> None:
        _same(scheme, algorithm)
        key.verify(_dss(value), message, ec.ECDSA(digest))

    return verify


def _rsa(reader: Reader, algorithm: str) -> Verifier:
    exponent, modulus = reader.mpint(), reader.mpint()
    if not SMALLEST_RSA <= modulus.bit_length() <= LARGEST_RSA:
        raise KeyInvalid(f"an RSA key needs at least {SMALLEST_RSA} bits, and this one has {modulus.bit_length()}.")
    if exponent < 65537 or exponent >= 2**64 or exponent % 2 == 0 or modulus % 2 == 0:
        raise KeyInvalid("its RSA numbers are not safe.")
    key = _rsa_key(exponent, modulus)

    def verify(scheme: str, value: bytes, message: bytes) -> None:
        if scheme not in RSA_HASHES:
            raise KeyInvalid("RSA signatures are made with rsa-sha2-512 or rsa-sha2-256.")
        if len(value) != (modulus.bit_length() + 7) // 8:
            raise KeyInvalid("the signature is not as long as its key.")
        key.verify(value, message, padding.PKCS1v15(), RSA_HASHES[scheme])

    return verify


def _modulus_of(blob: bytes) -> int:
    """The modulus of an RSA key in its wire format."""
    reader = Reader(blob)
    reader.string()
    reader.mpint()
    return reader.mpint()


def _rsa_key(exponent: int, modulus: int) -> rsa.RSAPublicKey:
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise KeyInvalid("its RSA numbers are not safe.") from error


def _security_key_ed25519(reader: Reader, algorithm: str) -> Verifier:
    inner = _ed25519(reader, algorithm)
    application = reader.string()

    def verify(scheme: str, value: bytes, message: bytes) -> None:
        signature, touched = _touched(value, application, message)
        inner(scheme, signature, touched)

    return verify


def _security_key_ecdsa(reader: Reader, algorithm: str) -> Verifier:
    key, digest = _curve_point(reader, "nistp256")
    application = reader.string()

    def verify(scheme: str, value: bytes, message: bytes) -> None:
        _same(scheme, algorithm)
        signature, touched = _touched(value, application, message)
        key.verify(_dss(signature), touched, ec.ECDSA(digest))

    return verify


KINDS = {
    "ssh-ed25519": _ed25519,
    "ssh-rsa": _rsa,
    "ecdsa-sha2-nistp256": _ecdsa,
    "ecdsa-sha2-nistp384": _ecdsa,
    "ecdsa-sha2-nistp521": _ecdsa,
    "sk-ssh-ed25519@openssh.com": _security_key_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _security_key_ecdsa,
}


def _curve_point(reader: Reader, expected: str) -> tuple[ec.EllipticCurvePublicKey, hashes.HashAlgorithm]:
    """The uncompressed point of a named curve."""
    if reader.string() != expected.encode():
        raise KeyInvalid("its curve is not the one that its algorithm names.")
    curve, digest = CURVES[expected]
    point = reader.string()
    if len(point) != 1 + 2 * ((curve.key_size + 7) // 8) or point[0] != 4:
        raise KeyInvalid("its curve point is not uncompressed.")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point), digest
    except ValueError as error:
        raise KeyInvalid("its point does not lie on its curve.") from error


def _dss(value: bytes) -> bytes:
    """The two numbers of an ECDSA signature (RFC 5656), as `cryptography` takes them."""
    reader = Reader(value)
    first, second = reader.mpint(), reader.mpint()
    reader.end()
    return encode_dss_signature(first, second)


def _touched(value: bytes, application: bytes, message: bytes) -> tuple[bytes, bytes]:
    """The inner signature of a security key, and the bytes it covers: flags and counter beside the message's hash."""
    reader = Reader(value)
    signature, flags, counter = reader.string(), reader.take(1), reader.take(4)
    reader.end()
    if not flags[0] & USER_PRESENT:
        raise InvalidSignature("Nobody touched the security key.")
    digests = hashlib.sha256(application).digest(), hashlib.sha256(message).digest()
    return signature, digests[0] + flags + counter + digests[1]


def _same(scheme: str, algorithm: str) -> None:
    """A signature names the algorithm of its key."""
    if scheme != algorithm:
        raise KeyInvalid("its algorithm is not that of its key.")


def _shown(algorithm: str) -> str:
    """An algorithm as a message may show it."""
    return "".join(character if character.isprintable() else "?" for character in algorithm)[:40]
