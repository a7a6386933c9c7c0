"""Which lockfiles lie in a folder, by the names that the portal reads."""

from pathlib import Path

from codesync.errors import Mistake

FORMATS = {
    "package-lock.json": "package-lock.json",
    "npm-shrinkwrap.json": "package-lock.json",
    "requirements.txt": "requirements.txt",
    "poetry.lock": "poetry.lock",
    "uv.lock": "uv.lock",
    "bom.json": "cyclonedx",
    "sbom.json": "cyclonedx",
    "cyclonedx.json": "cyclonedx",
}
LARGEST = 8 * 1024 * 1024


def found_in(folder: Path) -> list[Path]:
    """The lockfiles of the folder, in the order of FORMATS. Raises Mistake where there is none."""
    there = [folder / name for name in FORMATS if (folder / name).is_file()]
    if not there:
        raise Mistake(f"No lockfile in {folder.resolve()}. Name one, or run this beside one of: {', '.join(FORMATS)}.")
    return there


def format_of(file: Path) -> str:
    """The format as its name tells; empty where the portal has to look."""
    if file.name.endswith(".cdx.json"):
        return "cyclonedx"
    if file.name.startswith("requirements") and file.suffix == ".txt":
        return "requirements.txt"
    return FORMATS.get(file.name, "")


def text_of(file: Path) -> str:
    """The lockfile. Raises Mistake for one that is missing, too large, or no text."""
    try:
        if file.stat().st_size > LARGEST:
            raise Mistake(f"{file} is larger than the 8 MiB that a portal reads.")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Mistake(f"{file} is no text in UTF-8.") from problem
    except OSError as problem:
        raise Mistake(f"{file} cannot be read: {problem.strerror}.") from problem
