"""Code in READMEs, coloured by classes; a short list of languages, and short texts only, since READMEs are hostile."""

from pygments import highlight as colour
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

LANGUAGES = {
    "js": "javascript", "javascript": "javascript", "jsx": "javascript", "mjs": "javascript", "node": "javascript",
    "ts": "typescript", "typescript": "typescript", "json": "json", "py": "python", "python": "python",
    "pycon": "pycon", "sh": "bash", "bash": "bash", "shell": "bash", "console": "console", "yaml": "yaml",
    "yml": "yaml", "toml": "toml", "ini": "ini", "diff": "diff",
}  # fmt: skip
LONGEST = 4_000
FORMATTER = HtmlFormatter(nowrap=True)


def highlight(code: str, language: str, attributes: str) -> str:
    """The code with its parts in classed spans; "" leaves it as it is."""
    known = LANGUAGES.get(language.strip().lower())
    if known is None or len(code) > LONGEST:
        return ""
    return str(colour(code, get_lexer_by_name(known), FORMATTER))
