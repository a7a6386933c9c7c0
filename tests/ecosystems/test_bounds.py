"""Time and memory: every hostile file ends in less than 2 s and 256 MB, and a large good one in constant memory."""

import subprocess
import sys
import zlib
from pathlib import Path
from random import Random

import pytest

from tests.ecosystems.building import END, package_json, pax, pkg_info, sdist, tar_file, tar_header, tgz, wheel

READ = """
import re, sys, time
from pathlib import Path
from registry import ecosystems
from registry.errors import Refused
start = time.process_time()
try:
    ecosystems.read_package(Path(sys.argv[1]))
    answer = "read"
except Refused as refusal:
    answer = refusal.code
peak = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]
print(answer, time.process_time() - start, int(peak) // 1024)
"""
MIB = 2**20
MANIFEST = tar_file("package/package.json", package_json())
NOISE = tar_file("package/noise", Random(2).randbytes(MIB))


def streamed(parts):
    deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(deflate.compress(part) for part in parts) + deflate.flush()


def megabytes(count, noisy):
    noise = Random(1).randbytes(noisy)
    yield MANIFEST
    yield tar_header("package/big", count * MIB)
    for _ in range(count):
        yield noise + bytes(MIB - noisy)
    yield END


def many(make, count):
    yield MANIFEST
    for number in range(count):
        yield make(number)
    yield END


CASES = {
    "a bomb": (lambda: streamed(megabytes(100, 0)), "archive_bomb"),
    "a slow bomb": (lambda: streamed(megabytes(280, 8_000)), "archive_bomb"),
    "a large package": (lambda: streamed(megabytes(60, MIB // 2)), "read"),
    "empty entries": (lambda: streamed(many(lambda n: tar_header(f"package/{n}"), 50_000)), "archive_limit"),
    "entries": (lambda: streamed(many(lambda n: tar_file(f"package/{n}", b"1"), 30_000)), "archive_limit"),
    "long names": (
        lambda: streamed(
            many(lambda n: pax({"path": f"package/{n}/" + "x/" * 30 + "y" * 200}) + tar_file("x", b"1"), 20_000)
        ),
        "archive_limit",
    ),
    "extended headers": (
        lambda: streamed(
            [NOISE, *many(lambda n: pax({"comment": "x" * 200_000}) + tar_file(f"package/{n}", b"1"), 100)]
        ),
        "archive_limit",
    ),
    "license texts": (
        lambda: streamed([NOISE, *many(lambda n: tar_file(f"package/licenses/{n}", b"x" * 200_000), 300)]),
        "read",
    ),
    "nested JSON": (lambda: tgz(NOISE, tar_file("package/package.json", b"[" * 900_000)), "invalid_manifest"),
    "open strings": (
        lambda: tgz(NOISE, tar_file("package/package.json", b'"' + b'\\"' * 450_000)),
        "invalid_manifest",
    ),
    "mail in parts": (
        lambda: sdist(
            tar_file("acme_utils-1.2.0/noise", Random(2).randbytes(MIB)),
            info=b"Content-Type: multipart/mixed; boundary=x\n" + pkg_info(body="--x\n\n" * 190_000),
        ),
        "invalid_manifest",
    ),
    "many fields": (
        lambda: sdist(info=pkg_info("a", "1", *(f"X-{number}: {number}" for number in range(60_000)))),
        "invalid_manifest",
    ),
    "a long RECORD": (lambda: wheel(("n", Random(2).randbytes(MIB)), record=b"a,b,c\n" * MIB), "invalid_manifest"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_costs_little_whatever_is_in_it(tmp_path: Path, case):
    build, expected = CASES[case]
    path = tmp_path / "upload"
    path.write_bytes(build())
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    answer, seconds, megabytes_used = done.stdout.split()
    assert answer == expected
    assert float(seconds) < 2
    assert int(megabytes_used) < 150
