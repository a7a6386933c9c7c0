"""Downloading, and verifying what was downloaded."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from codesync import configuration, signing, verifying, wanted
from codesync.answers import Version
from codesync.commands import progress, showing
from codesync.commands.desk import Desk, command
from codesync.errors import ApiError, Mistake, NotVerified
from codesync.packages import DetachedSignature

FileName = Annotated[str, typer.Option("--file", metavar="NAME", help="One of its files, where it has several.")]
Name = Annotated[str, typer.Argument(metavar="PACKAGE", help="name@version; without a version the latest.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    command(app, "download")(download)
    command(app, "verify")(verify)


def download(
    desk: Desk,
    package: Name,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to; else its own name, here.")] = None,
    filename: FileName = "",
) -> None:
    """Download a version (of several files the first), and compare its digests."""
    one = _version(desk, package)
    artifact = _named(one, filename) if filename else _primary(one)
    target = output or Path(Path(artifact["filename"]).name)
    if target.is_dir():
        target /= Path(artifact["filename"]).name
    _fetch(desk, one, artifact, target)
    if others := len(one["artifacts"]) - 1:
        desk.say(f"{one['name']} {one['version']} has {others} more; see --file and `codesync info`.")
    desk.answer({**one, "file": str(target)}, lambda out: showing.line(out, target))


def verify(
    desk: Desk,
    package: Annotated[str, typer.Argument(metavar="PACKAGE|FILE", help="name@version, or a file with --signature.")],
    signers: Annotated[
        Path | None,
        typer.Option(help="Keys you trust, as ssh-keygen lists them; else allowed_signers beside the config."),
    ] = None,
    signature: Annotated[
        Path | None, typer.Option(help="Verify a file here with this signature, asking nobody.")
    ] = None,
    signer: Annotated[str, typer.Option(help="Who must have signed; else any of the signers.")] = "",
    remember: Annotated[
        bool, typer.Option("--remember", help="Trust the key that the portal names, from now on.")
    ] = False,
    filename: FileName = "",
) -> None:
    """Check the digests of all its files, and their SSH signatures. Ends with 8 if anything is not as it should be."""
    trusted = _there(signers) if signers else configuration.allowed_signers()
    if signature:
        if not trusted.exists():
            raise Mistake("No key is trusted yet. Name a file with those that are: --signers.")
        said = signing.verify(_there(Path(package)), _there(signature), trusted, signer)
        desk.answer({"file": package, "verified": True, "signature": said}, lambda out: showing.line(out, "✓", said))
        return
    one = _version(desk, package)
    primary = _primary(one)
    artifacts = [_named(one, filename)] if filename else one["artifacts"]
    with tempfile.TemporaryDirectory(prefix="codesync-") as name:
        folder = Path(name)
        for number, artifact in enumerate(artifacts):
            _fetch(desk, one, artifact, folder / str(number))
        signed = _signature(desk, one)
        if unsigned := [artifact["filename"] for artifact in artifacts if artifact != primary]:
            raise NotVerified(_partly(primary["filename"], unsigned))
        trust = _trust(signers, signed, remember, folder)
        said = verifying.check_signature(folder / "0", signed.armored, trust.signers, folder, signer)
    answer = {"name": one["name"], "version": one["version"], "sha256": primary["sha256"], "verified": True}
    answer |= {"file": primary["filename"], "signature": said, "signers": trust.source}
    desk.answer(answer, lambda out: _show(out, primary, said, trust))


def _partly(signed: str, unsigned: list[str]) -> str:
    """A version has one signature: that of its first file."""
    return (
        f"All digests are right, but the signature is that of {signed} alone, and nobody vouches for "
        f"{', '.join(unsigned)}. Run it with --file {signed} to check that one."
    )


@dataclass(frozen=True)
class Trust:
    """The file of allowed signers, and who vouches for it."""

    signers: Path
    source: str
    remark: str = ""


def _trust(given: Path | None, signed: DetachedSignature, remember: bool, folder: Path) -> Trust:
    """The signers that were named, else those kept, else the one that the portal names."""
    if given:
        return Trust(_there(given), str(given))
    kept = configuration.allowed_signers()
    if remember and signed.allowed_signer not in (kept.read_text() if kept.exists() else ""):
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with kept.open("a", encoding="utf-8") as lines:
            lines.write(signed.allowed_signer + "\n")
    if kept.exists():
        return Trust(kept, str(kept))
    lent = folder / "allowed_signers"
    lent.write_text(signed.allowed_signer + "\n")
    remark = "The key is the one that the portal names. Give --signers to hold it against keys that you trust."
    return Trust(lent, "portal", remark)


def _version(desk: Desk, package: str) -> Version:
    asked = wanted.read(package)
    return desk.portal.packages.version(asked.name, asked.version or "latest", ecosystem=asked.ecosystem)


def _primary(one: Version) -> dict[str, Any]:
    """The file that a plain download gives: the one whose digest the version carries."""
    found = [artifact for artifact in one["artifacts"] if artifact["sha256"] == one["sha256"]]
    if not found:
        raise Mistake(f"{one['name']} {one['version']} has no file yet.")
    return found[0]


def _named(one: Version, filename: str) -> dict[str, Any]:
    found = [artifact for artifact in one["artifacts"] if artifact["filename"] == filename]
    if not found:
        there = ", ".join(artifact["filename"] for artifact in one["artifacts"]) or "none"
        raise Mistake(f"{one['name']} {one['version']} has no file {filename}. Its files: {there}.")
    return found[0]


def _fetch(desk: Desk, one: Version, artifact: dict[str, Any], target: Path) -> Path:
    """The file, here and whole; one that is not what the portal recorded is removed again."""
    with progress.transfer(desk, f"Downloading {artifact['filename']}", artifact["size"]) as received:
        desk.portal.packages.download(
            one["name"], one["version"], target, filename=artifact["filename"], ecosystem=one["ecosystem"],
            received=received,
        )  # fmt: skip
    try:
        verifying.compare(target, artifact["sha256"], artifact["sha512"])
    except NotVerified:
        target.unlink()
        raise
    return target


def _signature(desk: Desk, one: Version) -> DetachedSignature:
    try:
        return desk.portal.packages.signature(one["name"], one["version"], ecosystem=one["ecosystem"])
    except ApiError as problem:
        if problem.status != 404:
            raise
        raise NotVerified(f"{problem.message} Its digest is right, but nobody vouches for it.") from problem


def _there(file: Path) -> Path:
    if not file.is_file():
        raise Mistake(f"There is no file {file}.")
    return file


def _show(out: Any, artifact: dict[str, Any], said: str, trust: Trust) -> None:
    showing.line(out, "✓", f"{artifact['filename']}, sha256 {artifact['sha256']}")
    showing.line(out, "✓", said)
    if trust.remark:
        showing.line(out, "!", trust.remark)
