"""Reading a tour out of a document: the commands of its console blocks, and what they are said to print."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARKER = "\x1e"
VARYING = (
    (r"sk_live_\w+", "TOKEN"),
    (r"SHA256:[A-Za-z0-9+/]{43}", "FINGERPRINT"),
    (r"sha512-[A-Za-z0-9+/=]+", "INTEGRITY"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "INSTANT"),
    (r"\b20\d\d-\d\d-\d\d\b", "DAY"),
    (r'"(id|size)":\d+', r'"\1":N'),
    (r"\b\d+ events", "N events"),
    (r"#\d+", "#N"),
)


@dataclass
class Command:
    """One command line of the tour and the output that the document shows."""

    line: str
    shown: list[str] = field(default_factory=list)


def commands_of(document: Path) -> list[Command]:
    """The commands between the document's tour markers, in order."""
    text = document.read_text().partition("<!-- tour -->")[2].partition("<!-- end of tour -->")[0]
    found: list[Command] = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif line.startswith("> "):
                found[-1].line += "\n" + line[2:]
            else:
                found[-1].shown.append(line)
    return found


def walk(commands: list[Command], folder: Path, environment: dict[str, str]) -> list[list[str]]:
    """Type the commands into one shell; returns what each printed, errors included."""
    script = "\n".join(f"{command.line}\nprintf '{MARKER}\\n'" for command in commands)
    shell = ["bash", "--noprofile", "--norc", "-u"]
    done = subprocess.run(
        shell, input=script, cwd=folder, env=environment, text=True, capture_output=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, check=False,
    )  # fmt: skip
    return [part.strip("\n").splitlines() for part in done.stdout.split(MARKER)[: len(commands)]]


def steady(lines: list[str]) -> list[str]:
    """The lines with everything that differs from run to run replaced by its name."""
    text = "\n".join(line.rstrip() for line in lines if line.strip())
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text.splitlines()
