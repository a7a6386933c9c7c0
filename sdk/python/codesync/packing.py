"""From a folder to the files that are published: by npm, or by whatever builds Python packages here."""

import json
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from codesync.errors import Mistake

ARCHIVES = (".tgz", ".tar.gz", ".whl", ".zip")


def pack(what: Path, target: Path) -> list[Path]:
    """The archives of a folder (npm's tarball; Python's wheel and sdist), made in `target`; an archive is its own.

    Raises Mistake where there is nothing to pack, or what packs it fails.
    """
    if what.is_file():
        return [what]
    if (what / "package.json").is_file():
        return [_npm(what, target)]
    if (what / "pyproject.toml").is_file() or (what / "setup.py").is_file():
        return _python(what, target)
    if not what.exists():
        raise Mistake(f"There is no {what}.")
    raise Mistake(f"{what.resolve()} holds no package.json and no pyproject.toml. Name the archives to publish.")


def _npm(folder: Path, target: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise Mistake("npm is not installed, so this folder cannot be packed. Name the archive to publish.")
    done = _run([npm, "pack", "--json", "--pack-destination", str(target.resolve())], folder, "npm pack")
    packed = sorted(target.glob("*.tgz"))
    if len(packed) != 1:
        raise Mistake(f"npm pack made {len(packed)} archives, not one: {done.stdout.strip()[-200:]}")
    return packed[0]


def _python(folder: Path, target: Path) -> list[Path]:
    """The wheel and, where what builds here makes one, the sdist."""
    _run(_builder(str(target.resolve())), folder, "The build")
    wheels, sdists = sorted(target.glob("*.whl")), sorted(target.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) > 1:
        raise Mistake(f"The build made {len(wheels)} wheels and {len(sdists)} sdists. Name the archives to publish.")
    return wheels + sdists


def _builder(target: str) -> list[str]:
    if _is_installed("build"):
        return [sys.executable, "-m", "build", "--outdir", target]
    if uv := shutil.which("uv"):
        return [uv, "build", "--quiet", "--out-dir", target]
    if _is_installed("pip"):  # which makes no sdist
        return [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target, "."]
    raise Mistake("Nothing here builds Python packages. Run `pip install build`, or name the archives to publish.")


def _is_installed(name: str) -> bool:
    """Whether the distribution is here; a folder `build`, which builds leave behind, is none."""
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def _run(command: list[str], folder: Path, name: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Mistake(f"{name} failed in {folder.resolve()}: {_reason(done.stdout, done.stderr)}")
    return done


def _reason(stdout: str, stderr: str) -> str:
    """What npm says as JSON, else the last line that says something."""
    try:
        return str(json.loads(stdout)["error"]["summary"]).strip().splitlines()[0]
    except (ValueError, KeyError, TypeError, IndexError):
        lines = (stderr.strip() or stdout.strip()).splitlines()
        return lines[-1] if lines else "it said nothing."
