"""Rule pages as a notebook shows them: Markdown, with a plain-text twin."""

from __future__ import annotations

from typing import Any

from .. import rules
from ..report import pages


class RulePage:
    """The page of one rule."""

    def __init__(self, code: str) -> None:
        self.rule = rules.get(pages.find(code))

    def __repr__(self) -> str:
        return pages.page(self.rule.code)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        head = f"### {self.rule.code} {self.rule.name} ({self.rule.severity})"
        return {"text/plain": repr(self), "text/markdown": f"{head}\n\n{self.rule.page.strip()}"}


class RuleIndex:
    """The list of all rules."""

    def __repr__(self) -> str:
        return pages.index()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        known = [rules.get(code) for code in rules.names()]
        rows = [f"| {rule.code} | {rule.name} | {rule.severity} | {rule.summary} |" for rule in known]
        table = "\n".join(["| code | name | severity | what it says |", "|---|---|---|---|", *rows])
        return {"text/plain": repr(self), "text/markdown": table}
