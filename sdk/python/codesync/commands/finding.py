"""Finding packages, and reading about them: search, info, resolve, tree, explain."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from codesync import wanted
from codesync.answers import Package, PackagePage, TreeNode, Version
from codesync.commands import showing, verdicts
from codesync.commands.desk import Desk, command
from codesync.errors import Exit

Name = Annotated[str, typer.Argument(metavar="PACKAGE", help="name, name@version, or npm:name@version.")]


def add_to(app: typer.Typer) -> None:
    """Hang the commands in."""
    for name, function in (
        ("search", search),
        ("info", info),
        ("resolve", resolve),
        ("tree", tree),
        ("explain", explain),
    ):
        command(app, name)(function)


def search(
    desk: Desk,
    words: Annotated[list[str] | None, typer.Argument(help="In names, descriptions, keywords.")] = None,
    ecosystem: Annotated[str, typer.Option(help="npm, pypi, maven, docker or generic.")] = "",
    status: Annotated[str, typer.Option(help="approved, pending, rejected or quarantined.")] = "",
    license: Annotated[str, typer.Option(help="An SPDX id.")] = "",
    category: Annotated[str, typer.Option(help="A category.")] = "",
    ordering: Annotated[str, typer.Option(help="name, -updated, -downloads or relevance.")] = "",
    page: Annotated[int, typer.Option(min=1)] = 1,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
) -> None:
    """Find packages."""
    filters = {
        "ecosystem": ecosystem,
        "status": status,
        "license": license,
        "category": category,
        "ordering": ordering,
    }
    found = desk.portal.packages.page(page=page, limit=limit, search=" ".join(words or []), **filters)
    desk.answer(found, lambda out: _show_page(out, found))


def info(desk: Desk, package: Name) -> None:
    """A package with its versions, or one version with its checks."""
    asked = wanted.read(package)
    if asked.version:
        one = desk.portal.packages.version(asked.name, asked.version, ecosystem=asked.ecosystem)
        desk.answer(one, lambda out: _show_version(out, one, desk.settings.url))
        return
    whole = desk.portal.packages.get(asked.name, ecosystem=asked.ecosystem)
    desk.answer(whole, lambda out: _show_package(out, whole))


def resolve(
    desk: Desk,
    package: Annotated[str, typer.Argument(metavar="PACKAGE")],
    range: Annotated[str, typer.Argument(help="As the ecosystem writes it: '^1.2', '>=2,<3'.")],
    prerelease: Annotated[bool, typer.Option("--prerelease", help="Take pre-releases, too.")] = False,
) -> None:
    """The version that an installer would choose for a range."""
    asked = wanted.read(package)
    found = desk.portal.packages.resolve(asked.name, range, prerelease=prerelease, ecosystem=asked.ecosystem)
    desk.answer(found, lambda out: showing.line(out, f"{found['name']} {found['version']}"))


def tree(
    desk: Desk,
    package: Annotated[str, typer.Argument(metavar="PACKAGE")],
    depth: Annotated[str, typer.Option(help="1 to 20, or full.")] = "full",
) -> None:
    """What the latest version brings along, as far as the portal holds it."""
    asked = wanted.read(package)
    whole = desk.portal.packages.get(asked.name, ecosystem=asked.ecosystem, depth=depth)
    root = whole.get("dependency_tree")
    desk.answer(root, lambda out: out.print(_drawn(root) if root else Text("It has no version to draw.")))


def explain(desk: Desk, package: Name) -> Exit:
    """May I have this, and why not? Ends with 0 allowed, 3 held, 4 denied."""
    asked = wanted.read(package).needs_version()
    known = desk.portal.packages.version(asked.name, asked.version, ecosystem=asked.ecosystem)
    said = desk.portal.packages.explain(wanted.purl_of(known["ecosystem"], known["name"], known["version"]))
    desk.answer(said, lambda out: verdicts.show_explanation(out, said))
    return {"allow": Exit.DONE, "hold": Exit.HELD}.get(said["answer"], Exit.REFUSED)


def _show_page(out: Console, found: PackagePage) -> None:
    columns = ("ecosystem", "name", "version", "status", "license", "description")
    rows = [
        (
            one["ecosystem"],
            one["name"],
            one["version"],
            showing.status(one["status"]),
            one["license"],
            one["description"],
        )
        for one in found["packages"]
    ]
    if rows:
        showing.put(out, showing.table(columns, rows))
    if found["total"] != len(rows) or not rows:
        showing.line(out, f"{found['total']} found, page {found['page']} of {found['pages']}.")


def _show_package(out: Console, whole: Package) -> None:
    about = {
        "package": f"{whole['name']} {whole['version']} ({whole['ecosystem']})",
        "status": showing.status(whole["status"]),
        "about": whole["description"],
        "license": whole["license"],
        "project": f"{whole['project']} ({whole['visibility']})",
        "maintainers": ", ".join(one["username"] for one in whole["maintainers"]),
        "homepage": whole["homepage"],
        "tags": ", ".join(f"{tag} {version}" for tag, version in whole["dist_tags"].items()),
        "needs": ", ".join(f"{name} {wants}".strip() for name, wants in whole["dependencies"].items()),
        "also in": ", ".join(whole["also_in"]),
    }
    showing.facts(out, about)
    rows = [
        (one["version"], showing.status(one["status"]), showing.size(one["size"]), one["published_at"][:10],
         one["signature"]["signer"] if one["signature"] else "unsigned", "unlisted" if one["unlisted"] else "")
        for one in whole["versions"]
    ]  # fmt: skip
    showing.put(out, showing.table(("version", "status", "size", "published", "signed by", ""), rows, right=["size"]))


def _show_version(out: Console, one: Version, url: str) -> None:
    about = {
        "version": f"{one['name']} {one['version']} ({one['ecosystem']})",
        "status": showing.status(one["status"]),
        "why": "; ".join(verdicts.reasons_of(one, None)),
        "license": one["license"],
        "size": showing.size(one["size"]),
        "sha256": one["sha256"],
        "files": ", ".join(artifact["filename"] for artifact in one["artifacts"]),
        "signed by": f"{one['signature']['signer']} {one['signature']['fingerprint']}"
        if one["signature"]
        else "nobody",
        "decided by": one["decision"]["by"] if one["decision"] else "",
        "page": verdicts.page_of(url, one["ecosystem"], one["name"], one["version"]),
    }
    showing.facts(out, about)
    rows = [(check["name"], showing.status(check["status"]), check["summary"]) for check in one["checks"]]
    showing.put(out, showing.table(("check", "result", "summary"), rows))


def _drawn(root: TreeNode) -> Tree:
    drawn = Tree(_label(root))
    waiting = [(drawn, root)]
    while waiting:
        branch, node = waiting.pop()
        waiting += [(branch.add(_label(one)), one) for one in node["dependencies"]]
    return drawn


def _label(node: TreeNode) -> Text:
    label = Text(showing.clean(f"{node['name']} {node['version'] or node['range']}"))
    if node["status"] and node["status"] != "approved":
        label.append_text(Text(" ") + showing.status(node["status"]))
    notes = [word for word in ("circular", "unresolved", "repeated") if node.get(word)]
    return label.append(f" ({', '.join(notes)})", style="dim") if notes else label
