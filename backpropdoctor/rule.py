"""What a rule is: a code, a name that states the fault, a severity, and its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding.

    `page` is Markdown: what was measured; why it is wrong; a failing example and the fixed one; look-alikes; limits.
    """

    code: str
    name: str
    severity: Severity
    page: str

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.strip().splitlines()[0].lstrip("# ").strip()
