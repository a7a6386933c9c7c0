"""SSH signatures: ours verifies what ssh-keygen makes, ssh-keygen verifies what ours exports, and nothing else."""

import base64
import os
import random
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import signatures, ssh_keys
from accounts.errors import InvalidInput
from accounts.signatures import SignatureInvalid
from tests.accounts import ssh_wire
from tests.accounts.ssh_wire import Ed25519, SecurityKeyEcdsa, SecurityKeyEd25519, envelope, field, mpint
from tests.builders import KeyPair, key_pair

DATA = b"the bytes of an archive\n" * 40
KINDS = [("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> dict[str, KeyPair]:
    """One real key of each kind."""
    folder = tmp_path_factory.mktemp("keys")
    return {f"{kind}-{bits}": key_pair(folder, kind, bits) for kind, bits in KINDS}


def check(armored: str, data: bytes = DATA) -> signatures.Signature:
    return signatures.verify(armored, **signatures.digests_of(data))


@pytest.mark.parametrize("kind", [f"{kind}-{bits}" for kind, bits in KINDS])
@pytest.mark.parametrize("digest", ["sha512", "sha256"])
def test_what_ssh_keygen_signs_is_verified(pairs, tmp_path, kind, digest):
    pair, file = pairs[kind], tmp_path / "a.tgz"
    file.write_bytes(DATA)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "codesync", "-O", f"hashalg={digest}", "-f", str(pair.path)]
    subprocess.run([*command, str(file)], check=True, capture_output=True)
    signature = check(file.with_suffix(".tgz.sig").read_text())
    assert signature.hash_algorithm == digest
    assert signature.namespace == "codesync"
    assert signature.public_key_line == " ".join(pair.public.split()[:2])
    listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{pair.path}.pub"], capture_output=True, text=True, check=True)
    assert signature.fingerprint == listed.stdout.split()[1]


@pytest.mark.parametrize("kind", [f"{kind}-{bits}" for kind, bits in KINDS])
def test_ssh_keygen_verifies_with_the_line_that_ours_exports(pairs, tmp_path, kind):
    pair = pairs[kind]
    armored = pair.sign(DATA)
    line = signatures.allowed_signers_line("alice@example.com", check(armored).public_key_line)
    assert keygen_accepts(tmp_path, line, armored, DATA)
    assert not keygen_accepts(tmp_path, line, armored, DATA + b"x")


@pytest.mark.parametrize("maker", [Ed25519, SecurityKeyEd25519, SecurityKeyEcdsa])
def test_ssh_keygen_and_ours_agree_on_signatures_put_together_by_hand(tmp_path, maker):
    key = maker()
    armored = key.sign(DATA)
    line = signatures.allowed_signers_line("alice", check(armored).public_key_line)
    assert keygen_accepts(tmp_path, line, armored, DATA)


def keygen_accepts(folder: Path, line: str, armored: str, data: bytes) -> bool:
    (folder / "allowed_signers").write_text(line + "\n")
    (folder / "sig").write_text(armored)
    identity = line.split()[0]
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", identity, "-n", "codesync", "-s", "sig"]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True).returncode == 0


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


ED = Ed25519()
OTHER = Ed25519(2)
GOOD = ED.sign(DATA)


@pytest.mark.parametrize(
    ("why", "armored"),
    [
        ("another key's signature", envelope(OTHER.blob, field(b"ssh-ed25519") + field(b"\x01" * 64))),
        ("another key beside a true signature", ED.sign(DATA, key=OTHER.blob)),
        ("another file", ED.sign(DATA + b"x")),
        ("another namespace", ED.sign(DATA, namespace=b"git")),
        ("no namespace", ED.sign(DATA, namespace=b"")),
        ("a namespace that begins with ours", ED.sign(DATA, namespace=b"codesync\x00")),
        ("a reserved field", ED.sign(DATA, reserved=b"x")),
        ("sha1 as its hash", ED.sign(DATA, digest=b"sha1")),
        ("an unknown hash", ED.sign(DATA, digest=b"sha384")),
        ("no signature", ED.sign(DATA, signature=b"")),
        ("a short signature", ED.sign(DATA, signature=field(b"ssh-ed25519") + field(b"x" * 63))),
        ("another scheme", ED.sign(DATA, signature=field(b"ssh-rsa") + field(b"x" * 64))),
        ("a certificate", ED.sign(DATA, key=field(b"ssh-ed25519-cert-v01@openssh.com") + field(b"x" * 32))),
        ("a DSA key", ED.sign(DATA, key=field(b"ssh-dss") + mpint(23) * 4)),
        ("version 2", envelope(ED.blob, b"", version=2)),
        ("bytes after the end", envelope(ED.blob, field(b"ssh-ed25519") + field(b"x" * 64), tail=b"\x00")),
        ("bytes after the key", ED.sign(DATA, key=ED.blob + b"\x00")),
        ("a point of small order", ED.sign(DATA, key=field(b"ssh-ed25519") + field(b"\x01" + b"\x00" * 31))),
        ("two signatures", GOOD + GOOD),
        ("text before it", "hello\n" + GOOD),
        ("text after it", GOOD + "hello\n"),
        ("empty lines after it", GOOD + "\n\n"),
        ("no end", GOOD.replace(signatures.END, "")),
        ("another armor", GOOD.replace("SSH SIGNATURE", "PGP SIGNATURE")),
        ("a damaged armor", GOOD.replace("AA", "A", 1)),
        ("a space in it", GOOD.replace("AA", "A A", 1)),
        ("a header", GOOD.replace("\n", "\nComment: x\n", 1)),
        ("stray bits in its padding", GOOD.replace("=\n-----END", "\n-----END")),
        ("nothing at all", ""),
        ("an empty armor", f"{signatures.BEGIN}\n{signatures.END}\n"),
        ("a megabyte of armor", f"{signatures.BEGIN}\n{'A' * 1_000_000}\n{signatures.END}\n"),
        ("ragged lines", ssh_wire.armor(ssh_wire.unarmor(GOOD), 10).replace("\n", "", 3)),
        ("letters beyond ASCII", GOOD.replace("A", "Ａ", 1)),
        ("a lone surrogate", GOOD.replace("A", "\ud800", 1)),
    ],
)
def test_it_is_refused_for(why, armored):
    with pytest.raises(SignatureInvalid):
        check(armored)


def test_the_one_that_the_refused_are_made_from_is_good():
    assert check(GOOD).fingerprint == ssh_keys.fingerprint_of(ED.blob)
    assert check(GOOD.replace("\n", "\r\n"))
    assert check(GOOD.rstrip("\n"))


def test_another_namespace_is_named_in_the_refusal():
    with pytest.raises(SignatureInvalid, match="“git”") as refusal:
        check(ED.sign(DATA, namespace=b"git"))
    assert refusal.value.code == "signature_namespace"


@pytest.mark.parametrize("scheme", [b"ssh-rsa", b"rsa-sha2-384"])
def test_rsa_with_sha1_is_refused(scheme):
    with pytest.raises(SignatureInvalid, match="rsa-sha2"):
        check(ssh_wire.rsa_signature(rsa_key(3072), DATA, scheme, hashes.SHA256()))


def test_rsa_signatures_of_both_hashes_are_verified():
    key = rsa_key(3072)
    check(ssh_wire.rsa_signature(key, DATA, b"rsa-sha2-256", hashes.SHA256()))
    check(ssh_wire.rsa_signature(key, DATA, b"rsa-sha2-512", hashes.SHA512()))
    with pytest.raises(SignatureInvalid):
        check(ssh_wire.rsa_signature(key, DATA, b"rsa-sha2-512", hashes.SHA256()))


def test_a_short_rsa_key_is_refused():
    with pytest.raises(SignatureInvalid, match="3072"):
        check(ssh_wire.rsa_signature(rsa_key(2048), DATA, b"rsa-sha2-512", hashes.SHA512()))


@pytest.mark.parametrize("maker", [SecurityKeyEd25519, SecurityKeyEcdsa])
def test_a_security_key_that_nobody_touched_is_refused(maker):
    assert check(maker().sign(DATA, flags=5))
    for armored in (maker().sign(DATA, flags=0), maker().sign(DATA, flags=0, claimed=1)):
        with pytest.raises(SignatureInvalid):
            check(armored)


def test_a_number_that_is_not_in_its_shortest_form_is_refused(pairs):
    blob = ssh_wire.unarmor(pairs["ecdsa-256"].sign(DATA))
    place = blob.rindex(field(b"ecdsa-sha2-nistp256")) + 23
    inner = blob[place + 4 :]
    size = int.from_bytes(inner[:4])
    longer = field(field(b"\x00" + inner[4 : 4 + size]) + inner[4 + size :])
    whole = field(b"ecdsa-sha2-nistp256") + longer
    with pytest.raises(SignatureInvalid):
        check(ssh_wire.armor(blob[: place - 27] + field(whole)))


@pytest.mark.parametrize("kind", ["ed25519-None", "ecdsa-256", "rsa-3072"])
def test_no_single_flipped_bit_is_accepted(pairs, kind):
    blob = ssh_wire.unarmor(pairs[kind].sign(DATA))
    for place in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[place // 8] ^= 1 << (place % 8)
        with pytest.raises(SignatureInvalid):
            check(ssh_wire.armor(bytes(changed)))


SEEDS = [ssh_wire.unarmor(maker().sign(DATA)) for maker in (Ed25519, SecurityKeyEd25519, SecurityKeyEcdsa)]


def mutated(blob: bytes, chance: random.Random) -> bytes:
    """The blob with one to four small damages; never the blob itself."""
    changed = bytearray(blob)
    for _ in range(chance.randint(1, 4)):
        place, what = chance.randrange(len(changed)), chance.randrange(5)
        if what == 0:
            changed[place] ^= 1 << chance.randrange(8)
        elif what == 1:
            changed[place:place] = chance.randbytes(chance.randint(1, 4))
        elif what == 2:
            del changed[place : place + chance.randint(1, 8)]
        elif what == 3:
            changed[place : place + 4] = chance.choice((0, 1, 2**31, 2**32 - 1, len(blob))).to_bytes(4)
        else:
            start = chance.randrange(len(changed))
            changed[place:place] = changed[start : start + chance.randint(1, 40)]
        if not changed:
            changed += b"x"
    return bytes(changed) if bytes(changed) != blob else blob + b"\x00"


# FUZZ_ROUNDS=100000 for the long run.
def test_no_mutation_is_accepted_and_none_escapes_the_one_error():
    chance = random.Random(20261121)
    for round_ in range(int(os.environ.get("FUZZ_ROUNDS", "3000"))):
        armored = ssh_wire.armor(mutated(SEEDS[round_ % len(SEEDS)], chance))
        with pytest.raises(SignatureInvalid):
            check(armored)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_refused_by_the_one_error(text):
    for armored in (text, f"{signatures.BEGIN}\n{text}\n{signatures.END}\n"):
        with pytest.raises(SignatureInvalid):
            check(armored)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_in_armor_are_refused_by_the_one_error(content):
    for blob in (content, b"SSHSIG\x00\x00\x00\x01" + content):
        with pytest.raises(SignatureInvalid):
            check(ssh_wire.armor(blob))


def test_a_signature_after_the_archive_is_split_off(tmp_path):
    file = tmp_path / "a.tgz"
    for archive in (DATA, b"", os.urandom(100_000)):
        file.write_bytes(archive + GOOD.encode())
        length, armored = signatures.split_appended(file)
        assert (length, armored) == (len(archive), GOOD)


@pytest.mark.parametrize(
    "content",
    [DATA, b"", DATA + GOOD.encode() + b"more", DATA + signatures.END.encode(), GOOD.encode() + b"\x00" * 20_000],
)
def test_an_archive_without_a_signature_at_its_end_is_whole(tmp_path, content):
    file = tmp_path / "a.tgz"
    file.write_bytes(content)
    assert signatures.split_appended(file) == (len(content), None)


def test_only_the_last_of_two_appended_signatures_is_split_off(tmp_path):
    file = tmp_path / "a.tgz"
    file.write_bytes(DATA + GOOD.encode() + GOOD.encode())
    assert signatures.split_appended(file) == (len(DATA) + len(GOOD), GOOD)


def test_verification_needs_no_network(pairs):
    """In a network namespace without interfaces, where the machine can make one."""
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'none';"
        "from accounts import signatures; import hashlib; data = bytes.fromhex(sys.argv[2]);"
        "print(signatures.verify(sys.argv[1], **signatures.digests_of(data)).fingerprint)"
    )
    import sys

    apart = ["unshare", "-rn"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        apart = []
    armored = pairs["ed25519-None"].sign(DATA)
    root = Path(signatures.__file__).parent.parent
    done = subprocess.run(
        [*apart, sys.executable, "-c", code, armored, DATA.hex()], capture_output=True, text=True, cwd=root
    )
    assert done.stdout.startswith("SHA256:"), done.stderr


@pytest.mark.parametrize("kind", [f"{kind}-{bits}" for kind, bits in KINDS])
def test_the_line_of_a_pub_file_is_read(pairs, kind):
    key = ssh_keys.read_line(pairs[kind].public)
    assert key.line == " ".join(pairs[kind].public.split()[:2])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-rsa " + ED.line.split()[1],
        ED.line + "\n" + ED.line,
        'from="10.0.0.0/8" ' + ED.line,
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
        "ssh-dss " + base64.b64encode(field(b"ssh-dss") + mpint(23) * 4).decode(),
        "ssh-rsa " + base64.b64encode(ssh_wire.rsa_blob(rsa_key(2048))).decode(),
        "ssh-ed25519 " + base64.b64encode(ED.blob + b"\x00").decode(),
        "ssh-ed25519 " + "A" * 9000,
        "ssh-ed25519 \ud800",
    ],
)
def test_a_line_that_is_no_accepted_key_is_refused(line):
    with pytest.raises(InvalidInput):
        ssh_keys.read_line(line)


def test_a_pasted_private_key_is_called_by_its_name():
    with pytest.raises(InvalidInput, match="private key"):
        ssh_keys.read_line("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----")
