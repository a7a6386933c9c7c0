"""What npm's clients send, as plain data."""

import base64
import hashlib
from typing import Any


def published(
    body: bytes, name: str = "@acme/tool", version: str = "1.0.0", tag: str = "latest", **more: Any
) -> dict[str, Any]:
    """The document of `npm publish`, as libnpmpublish makes it; `dist` and `attachment` change it."""
    dist = {
        "shasum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode(),
        "tarball": f"http://elsewhere.invalid/{name}/-/{name}-{version}.tgz",
    }
    attachment = {
        "content_type": "application/octet-stream",
        "data": base64.b64encode(body).decode(),
        "length": len(body),
    }
    manifest = {"name": name, "version": version, "_id": f"{name}@{version}", "readme": "# It"}
    manifest |= {"dist": dist | more.pop("dist", {})}
    return {
        "_id": name,
        "name": name,
        "description": "x",
        "dist-tags": {tag: version},
        "versions": {version: manifest},
        "access": None,
        "_attachments": {f"{name}-{version}.tgz": attachment | more.pop("attachment", {})},
        **more,
    }
