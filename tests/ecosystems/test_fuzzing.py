"""Damaged archives: refused or read, and nothing else; what is still read is what the standard library reads."""

import io
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import ecosystems
from registry.ecosystems.tar_reading import read_tar_gz
from registry.errors import Refused
from tests.ecosystems.building import npm, pax, pkg_info, sdist, tar_file, tgz, wheel

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = [npm(pax({"path": "package/long"}), tar_file("package/x", b"1")), sdist(), wheel(("acme_utils/a.py", b"1"))]
TAR = pax({"path": "a/long"}) + tar_file("a/x", b"12") + tar_file("a/y", b"3")

EDITS = st.lists(
    st.tuples(st.integers(0, 5000), st.sampled_from("xds"), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4
)


def damaged(content, edits):
    raw = bytearray(content)
    for place, how, new in edits:
        at = place % (len(raw) + 1)
        raw[at : at + (0 if how == "s" else len(new))] = b"" if how == "d" else new
    return bytes(raw)


@MANY
@given(seed=st.sampled_from(SEEDS), edits=EDITS)
def test_a_damaged_package_is_read_or_refused(tmp_path: Path, seed, edits):
    path = tmp_path / "x"
    path.write_bytes(damaged(seed, edits))
    with suppress(Refused):
        assert ecosystems.read_package(path).manifest.name


@MANY
@given(edits=EDITS)
def test_a_damaged_tar_is_refused_or_read_as_tarfile_reads_it(tmp_path: Path, edits):
    content = damaged(TAR, edits)
    path = tmp_path / "x"
    path.write_bytes(tgz(content))
    try:
        opened = read_tar_gz(path, lambda name: None)
    except Refused:
        return
    with tarfile.open(fileobj=io.BytesIO(content + bytes(1024))) as archive:
        assert {(one.name, one.size) for one in archive if one.isreg()} == {
            (one.path, one.size) for one in opened.entries
        }


@MANY
@given(lines=st.binary(max_size=300))
def test_any_metadata_is_read_or_refused(tmp_path: Path, lines):
    path = tmp_path / "x"
    for content in (
        sdist(info=lines),
        sdist(info=pkg_info() + lines),
        npm(manifest=lines),
        wheel(record=lines),
        wheel(tags=lines),
    ):
        path.write_bytes(content)
        with suppress(Refused):
            assert ecosystems.read_package(path).manifest.version


@MANY
@given(edits=EDITS)
def test_a_damaged_wheel_that_is_accepted_passes_the_standard_test(tmp_path: Path, edits):
    path = tmp_path / "x"
    path.write_bytes(damaged(SEEDS[2], edits))
    try:
        ecosystems.read_package(path)
    except Refused:
        return
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
