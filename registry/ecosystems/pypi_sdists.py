"""Source distributions: a tar.gz with one top folder and PKG-INFO in it (PEP 517, 643)."""

from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from registry.ecosystems.archives import Want, text_of
from registry.ecosystems.base import Package
from registry.ecosystems.manifests import (
    LICENSE,
    MANIFEST,
    README,
    is_license,
    is_readme,
    license_texts,
    readme_format,
    refuse_manifest,
)
from registry.ecosystems.pypi_metadata import manifest_of
from registry.ecosystems.tar_reading import read_tar_gz

FILE = "PKG-INFO"


def _wanted(path: str) -> Want | None:
    _, _, rest = path.partition("/")
    if rest == FILE:
        return MANIFEST
    if "/" in rest:
        return LICENSE if rest.lower().startswith("licenses/") else None
    return README if is_readme(rest) else LICENSE if is_license(rest) else None


def read(path: Path) -> Package:
    """Open the sdist strictly; raises Refused naming the entry, or the fault of PKG-INFO."""
    opened = read_tar_gz(path, _wanted)
    root = opened.one_root()
    if f"{root}/{FILE}" not in opened.kept:
        raise refuse_manifest(FILE, "is not in the top folder of the archive, so it is no source distribution.")
    manifest = manifest_of(opened.kept[f"{root}/{FILE}"], FILE)
    if not manifest.readme:
        shown = next((one for one in sorted(opened.kept) if is_readme(one.rpartition("/")[2])), "")
        manifest = replace(
            manifest,
            readme=text_of(opened.kept[shown]) if shown else "",
            readme_format=readme_format(shown) if "." in shown.rpartition("/")[2] else "text",
        )
    if any(entry.path == f"{root}/setup.py" for entry in opened.entries):
        manifest = replace(manifest, install_scripts={"setup.py": "runs when pip builds a wheel from this file"})
    return Package(
        manifest=manifest,
        kind="sdist",
        filename=f"{canonicalize_name(manifest.name).replace('-', '_')}-{manifest.version}.tar.gz",
        media_type="application/gzip",
        entries=opened.entries,
        unpacked_size=opened.unpacked_size,
        license_texts=license_texts(opened.kept),
    )
