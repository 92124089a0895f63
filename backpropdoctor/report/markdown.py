"""The Markdown of rule pages and messages as HTML: what the pages use, and nothing that lets markup through."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from .excerpt import plain


def words(text: str) -> Markup:
    """One sentence: names in backticks become code, control characters become visible, all else is escaped."""
    parts = re.split(r"`([^`]+)`", " ".join(plain(line) for line in text.splitlines()))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if k % 2 else _emphasised(part) for k, part in enumerate(parts)
    )


def page(text: str, level: int) -> Markup:
    """A rule page: headings from `level` downward, paragraphs, lists, tables as text, fenced code."""
    out: list[Markup] = []
    for block in _blocks(text.strip()):
        first = block[0]
        if first.startswith("```"):
            code = "\n".join(block[1:-1] if block[-1].startswith("```") else block[1:])
            out.append(Markup("<pre><code>{}</code></pre>").format("\n".join(map(plain, code.split("\n")))))
        elif match := re.match(r"(#+)\s+(.*)", first):
            depth = min(level + len(match[1]) - 1, 6)
            out.append(Markup("<h{0}>{1}</h{0}>").format(depth, words(match[2])))
        elif first.startswith("|"):
            out.append(Markup("<pre>{}</pre>").format("\n".join(map(plain, block))))
        elif re.match(r"[-*] |\d+\. ", first):
            tag = "ol" if first[0].isdigit() else "ul"
            items = re.split(r"\n(?=[-*] |\d+\. )", "\n".join(block))
            listed = [Markup("<li>{}</li>").format(words(re.sub(r"^([-*]|\d+\.) ", "", i))) for i in items]
            out.append(Markup("<{0}>{1}</{0}>").format(tag, Markup("").join(listed)))
        else:
            out.append(Markup("<p>{}</p>").format(words("\n".join(block))))
    return Markup("\n").join(out)


def _blocks(text: str) -> list[list[str]]:
    """Lines in blocks: blank lines and headings divide, a fence holds everything up to its end."""
    blocks: list[list[str]] = []
    current: list[str] = []
    fenced = False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        if fenced:
            current.append(line.strip() if fence else line)
        elif fence or not line.strip() or line.startswith("#"):
            blocks.append(current)
            current = [line.strip()] if fence or line.strip() else []
        else:
            current.append(line)
        if fence:
            fenced = not fenced
        if (fence and not fenced) or (line.startswith("#") and not fenced):
            blocks.append(current)
            current = []
    return [block for block in [*blocks, current] if block]


def _emphasised(text: str) -> Markup:
    html = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"\[([^\]]+)\]\((https?://[^\s)\"]+)\)", r'<a href="\2">\1</a>', html))
