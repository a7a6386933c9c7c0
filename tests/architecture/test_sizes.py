"""How long things may be: half of the functions under 10 lines, nine in ten under 30, 60 is the wall; files 400."""

import pytest

from tests.architecture.sources import PRODUCT, functions, modules, name_of, text_of

pytestmark = pytest.mark.once
WALL_OF_FUNCTIONS = 60
WALL_OF_FILES = 400


def lengths(*folders: str) -> list[tuple[int, str]]:
    """(lines, where) of every function below the folders, the longest first."""
    found = [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{name_of(path)}:{node.lineno} {node.name}")
        for path in modules(*folders)
        for node in functions(path)
    ]
    return sorted(found, reverse=True)


def test_no_function_is_longer_than_the_wall():
    assert [one for one in lengths(*PRODUCT, "tests", "benchmarks") if one[0] > WALL_OF_FUNCTIONS] == []


def test_nine_functions_in_ten_are_under_thirty_lines():
    counted = lengths(*PRODUCT)
    long = [one for one in counted if one[0] >= 30]
    assert len(long) <= len(counted) / 10, long


def test_half_of_the_functions_are_under_ten_lines():
    counted = lengths(*PRODUCT)
    short = [one for one in counted if one[0] < 10]
    assert len(short) >= len(counted) / 2, f"{len(short)} of {len(counted)}"


def test_no_file_is_longer_than_the_wall():
    long = {
        name_of(path): lines
        for path in modules(*PRODUCT, "tests", "benchmarks")
        if (lines := (text_of(path) or "").count("\n")) > WALL_OF_FILES
    }
    assert long == {}


def test_most_files_are_under_two_hundred_lines():
    counted = [(text_of(path) or "").count("\n") for path in modules(*PRODUCT)]
    assert sum(lines <= 200 for lines in counted) >= 0.8 * len(counted)
