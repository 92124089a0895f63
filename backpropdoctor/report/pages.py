"""The rule pages on a terminal: Markdown read lightly, and the list of all rules."""

from __future__ import annotations

import difflib
import re
import textwrap

from .. import rules

_BOLD, _CODE, _DIM, _END = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"


def find(code: str) -> str:
    """The code that `code` means: a code in either case, or the name of a rule; raises KeyError for neither."""
    wanted = code.strip().upper()
    if wanted in rules.names():
        return wanted
    for known in rules.names():
        if rules.get(known).name == code.strip().lower():
            return known
    raise KeyError(code)


def unknown(code: str) -> str:
    """The message for a code that no rule has, with the nearest ones."""
    near = difflib.get_close_matches(code.upper(), rules.names(), 3, 0.5)
    hint = f"; the nearest are {', '.join(f'`{n}`' for n in near)}" if near else ""
    return f"no rule has the code `{code}`{hint}"


def page(code: str, *, colour: bool = False, width: int | None = None) -> str:
    """The page of a rule as text, under its code, name and severity; raises KeyError for an unknown code.

    Paragraphs are broken anew to `width` columns; code and tables are left as they are.
    """
    rule = rules.get(find(code))
    head = f"{rule.code} {rule.name} ({rule.severity})"
    return "\n".join([_bold(head, colour), "", *_lines(_broken(rule.page.strip(), width), colour)])


def index(*, colour: bool = False) -> str:
    """Every rule on one line: code, severity, name, and the first sentence of its page."""
    known = [rules.get(code) for code in rules.names()]
    if not known:
        return "no rules"
    wide = max(len(r.name) for r in known)
    rows = [f"{_bold(r.code, colour)}  {r.severity:<7}  {r.name:<{wide}}  {_plain(r.summary)}".rstrip() for r in known]
    return "\n".join([*rows, "", "explain CODE prints the page of a rule"])


def _broken(markdown: str, width: int | None) -> str:
    """The page with its paragraphs and list items broken to the width."""
    if not width:
        return markdown
    parts = re.split(r"(```.*?```)", markdown, flags=re.S)
    for k in range(0, len(parts), 2):
        blocks = re.split(r"(\n\s*\n|\n(?=[-*] |\d+\. |#)|(?<=\n)(?=\|))", parts[k])
        parts[k] = "".join(_filled(b, width) if b.strip() and b[0] not in "|#" else b for b in blocks)
    return "".join(parts)


def _filled(block: str, width: int) -> str:
    indent = re.match(r"([-*] |\d+\. )?", block.lstrip("\n"))
    hang = " " * len(indent[0]) if indent else ""
    lead, tail = block[: len(block) - len(block.lstrip("\n"))], block[len(block.rstrip("\n")) :]
    return lead + textwrap.fill(_plain(block.strip()), width, subsequent_indent=hang, break_long_words=False) + tail


def _lines(markdown: str, colour: bool) -> list[str]:
    """Headings become bold lines, fenced code is indented by four, inline code keeps its backticks."""
    lines, fenced = [], False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            lines.append(f"    {_CODE}{line}{_END}" if colour and line else f"    {line}".rstrip())
        elif match := re.match(r"#+\s+(.*)", line):
            lines.append(_bold(_plain(match[1]), colour))
        else:
            lines.append(_plain(line))
    return lines


def _plain(text: str) -> str:
    """Markdown's emphasis and links as plain words."""
    text = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"\1 (\2)", text)
    return re.sub(r"\*\*(.+?)\*\*", r"\1", text)


def _bold(text: str, colour: bool) -> str:
    return f"{_BOLD}{text}{_END}" if colour else text
