"""reStructuredText READMEs as markdown: what READMEs use of it, block by block.

What it yields is rendered like any other markdown, so nothing here has to be safe, only linear.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

UNDERLINE = re.compile(r"([=\-~^\"'#*+.:`_])\1{2,}\s*$")
DIRECTIVE = re.compile(r"\.\. (?:\|([^|]{1,80})\| )?([\w-]{1,30})::\s?(.{0,500})$")
TARGET = re.compile(r"\.\. _`?([^:`]{1,120})`?:\s*(\S{1,500})\s*$")
OPTION = re.compile(r"\s*:(alt|target):\s*(.{1,500})$")
CODE = {"code", "code-block", "sourcecode"}
ASIDES = {"note", "warning", "tip", "important", "caution", "attention", "hint", "danger", "versionadded"}
LITERAL = re.compile(r"``(.{1,400}?)``")
LINK = re.compile(r"`([^`<]{1,200})\s<([^`>\s]{1,500})>`__?")
REFERENCE = re.compile(r"`([^`]{1,120})`__?(?!\w)")
WORD_REFERENCE = re.compile(r"\b([A-Za-z][\w-]{1,60})_(?!\w)")
ROLE = re.compile(r":[\w:-]{1,40}:`([^`<]{1,200}?)(?:\s?<[^`>]{1,300}>)?`")
SUBSTITUTION = re.compile(r"\|([^|\s][^|]{0,80})\|_{0,2}")


@dataclass(slots=True)
class _Reading:
    """What has been seen so far: the order of heading marks, link targets, substitutions."""

    levels: list[str] = field(default_factory=list)
    targets: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)


def to_markdown(text: str) -> str:
    """The README as markdown. Unknown directives are left out, as comments are."""
    lines = text.expandtabs(4).splitlines()
    reading = _Reading()
    _collect(lines, reading)
    return "\n".join(_blocks(lines, reading))


def _collect(lines: list[str], reading: _Reading) -> None:
    """Targets and substitutions may stand after their use."""
    for index, line in enumerate(lines):
        if match := TARGET.match(line):
            reading.targets[match[1].strip().lower()] = match[2]
        elif (match := DIRECTIVE.match(line)) and match[1]:
            reading.replaced[match[1]] = _substitute(match, _indented(lines, index + 1))


def _substitute(match: re.Match[str], block: list[str]) -> str:
    if match[2] == "image":
        options = {found[1]: found[2] for line in block if (found := OPTION.match(line))}
        text = options.get("alt", match[1])
        return f"[{text}]({options['target']})" if "target" in options else f"![{text}]({match[3].strip()})"
    return match[3].strip() if match[2] == "replace" else ""


def _blocks(lines: list[str], reading: _Reading) -> Iterator[str]:
    index = 0
    while index < len(lines):
        line = lines[index]
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if _is_overline(lines, index):
            yield from _heading(lines[index + 1].strip(), "over" + line[0], reading)
            index += 3
        elif line.strip() and not line.startswith((" ", "..")) and _underlines(following, line):
            yield from _heading(line.strip(), following[0], reading)
            index += 2
        elif line.startswith(".. ") or line == "..":
            block = _indented(lines, index + 1)
            yield from _explicit(line, block, reading)
            index += 1 + len(block)
        elif line.rstrip().endswith("::"):
            block = _indented(lines, index + 1)
            yield _inline(line.rstrip().removesuffix("::").rstrip() + ("" if line.strip() == "::" else ":"), reading)
            yield from _fenced(block, "")
            index += 1 + len(block)
        elif line.lstrip().startswith(">>> "):
            block = _paragraph(lines, index)
            yield from _fenced(block, "pycon")
            index += len(block)
        else:
            block = _plain(lines, index)
            yield _inline(re.sub(r"^(\s*)#\. ", r"\g<1>1. ", "\n".join(block), flags=re.MULTILINE), reading)
            index += len(block)


def _underlines(line: str, title: str) -> bool:
    return bool(UNDERLINE.match(line)) and len(line.rstrip()) >= min(len(title.rstrip()), 3)


def _is_overline(lines: list[str], index: int) -> bool:
    if index + 2 >= len(lines) or not UNDERLINE.match(lines[index]) or not lines[index + 1].strip():
        return False
    return lines[index].rstrip() == lines[index + 2].rstrip()


def _heading(title: str, mark: str, reading: _Reading) -> Iterator[str]:
    if mark not in reading.levels:
        reading.levels.append(mark)
    yield from ("", "#" * min(reading.levels.index(mark) + 1, 6) + " " + _inline(title, reading), "")


def _explicit(line: str, block: list[str], reading: _Reading) -> Iterator[str]:
    """Directives that say something to a reader; all others, targets and comments say nothing."""
    match = DIRECTIVE.match(line)
    if match is None or match[1]:
        yield ""
    elif match[2] in CODE:
        yield from _fenced([one for one in block if not OPTION.match(one)], match[3].strip())
    elif match[2] in ASIDES:
        body = [match[3], *(one.strip() for one in block)]
        yield from ("", f"> **{match[2].capitalize()}:** " + _inline(" ".join(body).strip(), reading), "")
    elif match[2] in ("image", "figure"):
        yield _substitute(re.match(DIRECTIVE, f".. |image| image:: {match[3]}") or match, block)


def _fenced(block: list[str], language: str) -> Iterator[str]:
    """A code block without its indentation, in a fence longer than any inside."""
    while block and not block[0].strip():
        block = block[1:]
    while block and not block[-1].strip():
        block = block[:-1]
    if block:
        margin = min(len(one) - len(one.lstrip()) for one in block if one.strip())
        yield from ("", f"~~~~~~{language}", *(one[margin:].replace("~~~~~~", "~~~~~") for one in block), "~~~~~~", "")


def _indented(lines: list[str], start: int) -> list[str]:
    """The lines from `start` on that are indented or blank, as far as a line stands at the margin."""
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" ")):
        end += 1
    return lines[start:end]


def _plain(lines: list[str], start: int) -> list[str]:
    """The lines of a paragraph, up to what the next step must look at by itself; at least one."""
    end = start + 1
    while end < len(lines) and lines[end].strip() and not lines[end].startswith("..") and end - start < 100:
        if lines[end].rstrip().endswith("::") or _underlines(lines[end + 1] if end + 1 < len(lines) else "", ""):
            break
        end += 1
    return lines[start:end]


def _paragraph(lines: list[str], start: int) -> list[str]:
    end = start
    while end < len(lines) and lines[end].strip():
        end += 1
    return lines[start:end]


def _inline(line: str, reading: _Reading) -> str:
    """Inline marks of one line; what stands in literals is left alone."""
    parts = LITERAL.split(line[:20_000])
    for index in range(0, len(parts), 2):
        parts[index] = _marks(parts[index], reading)
    for index in range(1, len(parts), 2):
        parts[index] = f"`` {parts[index]} ``" if "`" in parts[index] else f"`{parts[index]}`"
    return "".join(parts)


def _marks(text: str, reading: _Reading) -> str:
    text = SUBSTITUTION.sub(lambda match: reading.replaced.get(match[1], match[0]), text)
    text = ROLE.sub(r"`\1`", text)
    text = LINK.sub(r"[\1](\2)", text)
    text = REFERENCE.sub(lambda match: _reference(match, reading), text)
    text = WORD_REFERENCE.sub(lambda match: _reference(match, reading, match[0]), text)
    return re.sub(r"<(?!https?://)", r"\\<", text)


def _reference(match: re.Match[str], reading: _Reading, otherwise: str = "") -> str:
    target = reading.targets.get(match[1].strip().lower())
    return f"[{match[1]}]({target})" if target else otherwise or match[1]
