"""The real npm, in folders of its own, configured for one registry and nothing else."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import tools

# npm asks Sigstore's own list of registries before it asks the registry itself. That list is on the network; here the
# answer is the one that it gives about every registry that is not on it.
WITHOUT_SIGSTORE = """
const Module = require("node:module");
const load = Module._load;
const unknown = () => Promise.reject(Object.assign(new Error("no such target"), { code: "TUF_FIND_TARGET_ERROR" }));
Module._load = function (name, ...rest) {
  return name === "@sigstore/tuf" ? { initTUF: async () => ({ getTarget: unknown }) } : load.call(this, name, ...rest);
};
"""


@dataclass
class RealNpm:
    """`npm.run("install", "left-pad")` in a folder that holds an empty project."""

    folder: Path
    registry: str
    token: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work = self.folder / "work"
        self.work.mkdir(parents=True)
        self.write(name="work", version="1.0.0", license="MIT")
        place = urlsplit(self.registry)
        lines = [f"registry={self.registry}", f"cache={self.folder / 'cache'}", "update-notifier=false", "fund=false"]
        lines += [f"//{place.netloc}{place.path}:_authToken={self.token}"] if self.token else []
        (self.folder / "npmrc").write_text("\n".join([*lines, "fetch-retries=0", ""]))
        (self.folder / "no_sigstore.cjs").write_text(WITHOUT_SIGSTORE)

    def write(self, **manifest: Any) -> None:
        """The package.json of the project."""
        (self.work / "package.json").write_text(json.dumps(manifest))

    def run(self, *words: str, fails: bool = False) -> str:
        """What npm prints, both streams; it must succeed, or fail."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = {
            **kept,
            "HOME": str(self.folder),
            "npm_config_userconfig": str(self.folder / "npmrc"),
            "NODE_OPTIONS": f"--require {self.folder / 'no_sigstore.cjs'}",
            **self.environment,
        }
        done = subprocess.run(
            [tools.need("npm"), *words],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout if "--json" in words else done.stdout + done.stderr
