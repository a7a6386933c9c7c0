"""Plain builders with fixed values: people, actors, archives, keys, packages."""

import base64
import gzip
import hashlib
import importlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.apps import apps

from accounts import asking
from accounts.actors import Actor
from accounts.models import ApiToken, Membership, Project, SigningKey, User
from licensing.models import LicensePolicy
from registry.models import Package, PackageMaintainer, Release

PASSWORD = "correct horse battery staple"

# --- people -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests."""

    alice: User
    bob: User
    mallory: User
    root: User
    acme: Project
    elsewhere: Project


def user(name: str, role: str = "developer", **fields: Any) -> User:
    """A person who can sign in with PASSWORD."""
    staff = role in ("maintainer", "admin")
    return User.objects.create_user(
        name,
        email=f"{name}@example.com",
        password=PASSWORD,
        **{"role": role, "is_staff": staff, "is_superuser": role == "admin", **fields},
    )


def project(slug: str, *members: User, owner: User | None = None, **fields: Any) -> Project:
    """A project with an owner and members, which becomes the default of those who have none."""
    made = Project.objects.create(slug=slug, name=slug.title(), **fields)
    roles = ([(owner, Membership.Role.OWNER)] if owner else []) + [(m, Membership.Role.MEMBER) for m in members]
    for person, role in roles:
        Membership.objects.create(project=made, user=person, role=role)
        if person.default_project_id is None:
            person.default_project = made
            person.save(update_fields=["default_project"])
    return made


def assemble_cast() -> Cast:
    """Alice owns acme, bob maintains (and is a member of acme), mallory sits elsewhere, root is admin."""
    _keep_first_policy()
    alice, bob, mallory, root = user("alice"), user("bob", "maintainer"), user("mallory"), user("root", "admin")
    acme = project("acme", bob, owner=alice)
    elsewhere = project("elsewhere", owner=mallory)
    project("operations", owner=root)
    return Cast(alice, bob, mallory, root, acme, elsewhere)


def _keep_first_policy() -> None:
    """What migrations have written is gone after a test that commits: the licenses that an installation approves."""
    if not LicensePolicy.objects.exists():
        importlib.import_module("licensing.migrations.0002_first_policy").seed(apps, None)


def actor(person: User, *scopes: str, project: Project | None = None, kind: str = "session") -> Actor:
    """The person as the activities see them; scopes as given, else all that their role allows."""
    plain = asking.session_actor(person, "192.0.2.0/24")
    return replace(
        plain,
        kind=kind,
        project=project or plain.project,
        scopes=frozenset(scopes) or plain.scopes,
        credential_id="" if kind == "session" else "test",
    )


def token(person: User, *scopes: str, project: Project | None = None, name: str = "test") -> str:
    """A raw API token of the person, as it would stand in a header."""
    from accounts import tokens

    issued: tuple[ApiToken, str] = tokens.issue(
        person, name, list(scopes) or ["read", "publish"], project=project, actor=actor(person)
    )
    return issued[1]


def database_url() -> str:
    """The address of the tests' own database, for processes that they start."""
    from django.conf import settings
    from django.db import connection

    name = connection.settings_dict["NAME"]
    server = settings.DATABASE_URL.rpartition("/")[0]
    return f"sqlite:///{name}" if connection.vendor == "sqlite" else f"{server}/{name}"


def bearer(raw: str) -> dict[str, str]:
    """The headers of a request that carries the token: `client.get(url, headers=bearer(raw))`."""
    return {"Authorization": f"Bearer {raw}"}


# --- archives -----------------------------------------------------------------------------------------------------


def tarball(entries: Iterable[tuple[str, bytes]], mtime: int = 499162500) -> bytes:
    """A gzipped tar of regular files, the same bytes every time."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in entries:
            info = tarfile.TarInfo(path)
            info.size, info.mtime, info.mode = len(content), mtime, 0o644
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def npm_tarball(
    name: str = "left-pad", version: str = "1.0.0", files: Mapping[str, str | bytes] | None = None, **manifest: Any
) -> bytes:
    """What `npm pack` makes: everything under package/, package.json first."""
    stated = {
        "name": name,
        "version": version,
        "description": f"{name} for the tests",
        "license": "MIT",
        "main": "index.js",
        **manifest,
    }
    stated = {key: value for key, value in stated.items() if value is not None}
    contents: dict[str, str | bytes] = {
        "package.json": json.dumps(stated, indent=2),
        "index.js": f"module.exports = {json.dumps(version)}\n",
        "README.md": f"# {name}\n",
        **(files or {}),
    }
    return tarball((f"package/{path}", _bytes(content)) for path, content in contents.items())


def python_metadata(name: str, version: str, **fields: Any) -> str:
    """Core metadata 2.1; a list value gives one line for each item: `requires_dist=["six>=1"]`."""
    stated = {"summary": f"{name} for the tests", "license": "MIT", **fields}
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    for key, value in stated.items():
        header = "-".join(part.capitalize() for part in key.split("_"))
        values = value if isinstance(value, list) else [value]
        lines += [f"{header}: {item}" for item in values if item is not None]
    return "\n".join(lines) + "\n\n" + f"# {name}\n"


def sdist(name: str = "demo-pkg", version: str = "1.0.0", **fields: Any) -> bytes:
    """A source distribution (PEP 625)."""
    root = f"{name.replace('-', '_').lower()}-{version}"
    return tarball(
        [
            (f"{root}/PKG-INFO", python_metadata(name, version, **fields).encode()),
            (f"{root}/pyproject.toml", b'[build-system]\nrequires = ["setuptools"]\n'),
            (f"{root}/{name.replace('-', '_')}.py", f"VERSION = {version!r}\n".encode()),
        ]
    )


def wheel(name: str = "demo-pkg", version: str = "1.0.0", tag: str = "py3-none-any", **fields: Any) -> bytes:
    """A wheel (PEP 427) with a RECORD that is right."""
    stem = name.replace("-", "_").replace(".", "_")
    info = f"{stem}-{version}.dist-info"
    files = {
        f"{stem}/__init__.py": f"VERSION = {version!r}\n".encode(),
        f"{info}/METADATA": python_metadata(name, version, **fields).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},sha256={_record_digest(body)},{len(body)}\n" for path, body in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), body)
    return raw.getvalue()


def _record_digest(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


# --- keys and signatures ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyPair:
    """A key made by ssh-keygen: the private file beside its public line."""

    path: Path

    @property
    def public(self) -> str:
        """The line that its owner registers."""
        return self.path.with_suffix(".pub").read_text().strip()

    def sign(self, data: bytes, namespace: str = "codesync") -> str:
        """The armored signature that `ssh-keygen -Y sign` makes over the data."""
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.path)]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()


def key_pair(folder: Path, kind: str = "ed25519", bits: int | None = None) -> KeyPair:
    """A fresh key pair in the folder."""
    path = folder / f"id_{kind}_{bits or 'default'}"
    size = ["-b", str(bits)] if bits else []
    command = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "tests", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return KeyPair(path)


def registered_key(person: User, pair: KeyPair, name: str = "laptop") -> SigningKey:
    """The pair's public half, registered by its person."""
    from accounts import signing_keys

    return signing_keys.register(person, name, pair.public, actor(person))


# --- packages and releases ----------------------------------------------------------------------------------------


def package(owner: Project, name: str = "left-pad", ecosystem: str = "npm", **fields: Any) -> Package:
    """A bare package row, for tests that need no bytes."""
    normalized = name.lower().replace("_", "-").replace(".", "-") if ecosystem == "pypi" else name
    scope = name.split("/")[0] if "/" in name else ""
    maintainer = fields.pop("maintainer", None)
    made = Package.objects.create(
        ecosystem=ecosystem,
        name=name,
        **{
            "normalized": normalized,
            "skeleton": normalized,
            "scope": scope,
            "project": owner,
            "description": f"{name} for the tests",
            **fields,
        },
    )
    if maintainer:
        PackageMaintainer.objects.create(package=made, user=maintainer)
    return made


def release(of: Package, version: str = "1.0.0", status: str = "approved", **fields: Any) -> Release:
    """A bare release row: no artifact, no checks, no documents; `documents.rebuild` is the caller's."""
    return Release.objects.create(
        package=of,
        version=version,
        status=status,
        **{"canonical": version, "origin": "published", "project": of.project, "license": "MIT", **fields},
    )


def published(
    person: User, pair: KeyPair, archive: bytes | None = None, *, checks: bool = True, **options: Any
) -> Release:
    """A release published through the real activity, signed by the person's registered key, and checked."""
    from registry import publishing, tasks

    body = archive if archive is not None else npm_tarball()
    if not SigningKey.objects.filter(user=person, public_key__startswith=pair.public.rsplit(" ", 1)[0]).exists():
        registered_key(person, pair)
    with publishing.receive(io.BytesIO(body)) as staged:
        made = publishing.publish_upload(staged, actor(person), signature=pair.sign(body), **options)
    if checks:
        tasks.drain()
        made.refresh_from_db()
    return made


def submitted(
    person: User, name: str = "left-pad", version: str = "1.3.0", ecosystem: str = "npm", **fields: Any
) -> Release:
    """A third-party package asked for through the real activity."""
    from registry import submitting

    asked = submitting.Submission(ecosystem=ecosystem, name=name, version=version, **fields)
    return submitting.submit(asked, actor(person))
