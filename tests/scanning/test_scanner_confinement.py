"""What a scanner's program may do, what it is shown, and what is left of it."""

import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import pytest

from scanning import unpacking
from scanning.scanners import subprocesses
from scanning.scanners.base import NothingToConsult, Unavailable
from tests import builders
from tests.end_to_end.portals import wait_until
from tests.scanning import toolbox as boxes
from tests.scanning.toolbox import Toolbox

pytestmark = pytest.mark.once


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Toolbox]:
    with boxes.opened() as box:
        monkeypatch.setattr(tempfile, "tempdir", str(box.temp))
        yield box
        assert (box.left_running(), box.left_lying()) == ([], [])


def run(box: Toolbox, body: str) -> str:
    box.put("tool", body)
    return subprocesses.run([str(box.bin / "tool")]).output.decode()


def test_it_sees_no_secret_of_ours(box: Toolbox, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "for nobody else")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for nobody else")
    names = {line.partition("=")[0] for line in run(box, "env").splitlines()}
    assert names == {"PATH", "HOME", "TMPDIR", "LANG", "GOMEMLIMIT", "PWD"}


def test_it_starts_in_an_empty_folder_of_its_own_without_input(box: Toolbox):
    said = run(box, 'pwd; ls -A "$HOME"; cat; touch "$HOME/written" && ls "$HOME"').splitlines()
    assert Path(said[0]).parent == box.temp
    assert said[1:] == ["written"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_runs_as_nobody_and_cannot_become_more(box: Toolbox):
    private = box.temp / "private"
    private.write_text("a secret")
    private.chmod(0o600)
    said = run(box, f"id -u; id -G; grep NoNewPrivs /proc/self/status; cat {private} 2>&1; echo end").split("\n")
    assert said[:2] == ["65534", "65534"]
    assert said[2].endswith("1")
    assert "Permission denied" in said[3]
    private.unlink()


def test_it_has_no_network_where_the_system_lets_us(box: Toolbox, settings):
    inside = run(box, "tail -n +3 /proc/net/dev | cut -d: -f1").split()
    if "network" in subprocesses.separations():
        assert inside == ["lo"]
    settings.SCANNER_NETWORK = True
    assert run(box, "readlink /proc/self/ns/net").strip() == str(Path("/proc/self/ns/net").readlink())


def test_its_memory_files_and_open_files_are_limited(box: Toolbox, settings):
    settings.SCANNER_MEMORY_MB = 300
    said = run(box, "ulimit -v; ulimit -n; ulimit -c; ulimit -f").split()
    assert [int(one) for one in said] == [300 * 1024, 1024, 0, 256 * 1024 * 2]


def test_a_file_that_is_too_large_ends_it(box: Toolbox, monkeypatch):
    monkeypatch.setattr(subprocesses, "FILE_LIMIT", 1024 * 1024)
    with pytest.raises(Unavailable, match="SIGXFSZ"):
        run(box, 'exec head -c 9000000 /dev/zero > "$HOME/large"')


def test_what_cannot_be_run_says_so(box: Toolbox):
    box.put("tool", "exit 0")
    (box.bin / "tool").chmod(0o644)
    with pytest.raises(Unavailable, match="cannot be run"):
        subprocesses.run([str(box.bin / "tool")])


def test_a_folder_that_it_locked_is_removed_all_the_same(box: Toolbox):
    run(box, 'mkdir -p "$HOME/a/b" && touch "$HOME/a/b/c" && chmod 0 "$HOME/a/b" "$HOME/a"')


def test_what_killed_workers_left_is_forgotten_after_a_day(box: Toolbox):
    old, new = box.temp / "codesync-scan-old", box.temp / "codesync-scan-new"
    old.mkdir()
    new.mkdir()
    os.utime(old, (1, 1))
    run(box, "exit 0")
    assert box.left_lying() == ["codesync-scan-new"]
    new.rmdir()


# --- what it is shown ----------------------------------------------------------------------------------------------
def opened(path: Path) -> AbstractContextManager[Path]:
    return nullcontext(path)


def unpacked(*archives: Path) -> unpacking.Unpacked:
    return unpacking.unpacked("npm", "left-pad", "1.0.0", [partial(opened, path) for path in archives])


def archive(box: Toolbox, content: bytes, name: str = "archive") -> Path:
    path = box.data / name
    path.write_bytes(content)
    return path


def zipped(entries: dict[str, str]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        for name, text in entries.items():
            made.writestr(name, text)
    return raw.getvalue()


def test_each_held_file_is_unpacked_into_a_folder_of_its_own(box: Toolbox):
    held = (
        archive(box, builders.npm_tarball(files={"lib/a.js": "1"}), "a.tgz"),
        archive(box, zipped({"b/c.py": "2"}), "b.whl"),
        archive(box, b"\x1f\x8b only looks like an archive", "c"),
    )
    with unpacked(*held) as material:
        folder = material.files()
        found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        assert {"0/package/package.json", "0/package/lib/a.js", "1/b/c.py", "2/file"} <= set(found)
        assert found["2/file"].read_bytes() == held[2].read_bytes()
        assert {stat.S_IMODE(path.stat().st_mode) for path in found.values()} == {0o644}
        assert material.files() == folder


def test_a_path_that_leads_out_is_written_nowhere(box: Toolbox):
    for content in (builders.tarball([("../../evil", b"1")]), zipped({"/etc/evil": "1"}), zipped({"a/../../b": ""})):
        with unpacked(archive(box, content)) as material, pytest.raises(Unavailable, match="could not be unpacked"):
            material.files()


def test_links_and_second_entries_of_one_name_are_not_followed(box: Toolbox):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        link = tarfile.TarInfo("a")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("b"))
        tar.addfile(tarfile.TarInfo("b"))
    with unpacked(archive(box, raw.getvalue())) as material, pytest.raises(Unavailable, match="FileExistsError"):
        material.files()


def test_more_than_scanners_are_given_is_refused(box: Toolbox, monkeypatch):
    held = archive(box, builders.npm_tarball(files={"a": "1" * 5000}))
    for name, value in (("LIMIT", 1000), ("MAX_FILES", 1)):
        with monkeypatch.context() as patch:
            patch.setattr(unpacking, name, value)
            with unpacked(held) as material, pytest.raises(Unavailable, match="more than scanners are given"):
                material.files()


def test_without_a_file_there_is_nothing_to_look_into(box: Toolbox):
    with unpacked() as material, pytest.raises(NothingToConsult, match="No file"):
        material.files()


def test_the_bill_names_the_release_and_nothing_else(box: Toolbox):
    with unpacking.unpacked("npm", "@acme/core", "1.0.0", []) as material:
        text = material.bill().read_text()
        assert material.bill().name == "bom.cdx.json"
    assert '"purl": "pkg:npm/%40acme/core@1.0.0"' in text
    assert '"group": "@acme"' in text


# --- the death of whoever asked ------------------------------------------------------------------------------------
@pytest.mark.crash
def test_a_killed_worker_takes_the_tool_and_its_children_along(box: Toolbox):
    box.put("tool", f"setsid sleep {box.mark} & sleep {box.mark}")
    program = (
        "import django; django.setup(); from scanning.scanners import subprocesses;"
        f"subprocesses.run([{str(box.bin / 'tool')!r}])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "TMPDIR": str(box.temp)}
    worker = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        assert wait_until(lambda: len(box.left_running()) > 1)
    finally:
        worker.kill()
        worker.wait()
    assert wait_until(lambda: not box.left_running())
    for left in box.temp.iterdir():  # what the day after would sweep
        shutil.rmtree(left)
