"""The files that git tracks, read once, for the tests that look at all of them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("config", "accounts", "registry", "licensing", "scanning", "sdk")


@cache
def tracked() -> tuple[Path, ...]:
    """Every tracked file that exists."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone: git cannot say which files belong to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return tuple(path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file())


def name_of(path: Path) -> str:
    """The file's name as git gives it."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str | None:
    """The file as text, or None for a binary one."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files below the folders, migrations left out."""
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders and "migrations" not in path.parts
    )


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(text_of(path) or "", str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the module."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string constant that is no docstring."""
    tree = tree_of(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
