"""The report of one run: data, and one renderer a format.

The renderers are files beside this one; they see findings and never the tape or the numerics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..finding import Checked, Cost, Finding, Loss

Status = Literal["healthy", "faulty", "incomplete"]

EXIT_STATUS: dict[str, int] = {"healthy": 0, "faulty": 1, "incomplete": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one run found and measured; `.text()`, `.json()`, `.html()`, `.sarif()`, `.github()` draw it."""

    target: str
    findings: tuple[Finding, ...] = ()
    checked: tuple[Checked, ...] = ()
    loss: Loss | None = None
    cost: Cost = Cost()
    incomplete: tuple[str, ...] = ()  # what could not be measured, one sentence each
    notes: tuple[str, ...] = ()  # how far the script ran, what was assumed: sentences for the last lines
    stopped_by: str | None = None  # the exception of the user's code that ended the run, in one line

    @property
    def status(self) -> Status:
        """'faulty' with any error; else 'incomplete' if something needed was not measured; else 'healthy'."""
        if any(f.severity == "error" for f in self.findings):
            return "faulty"
        undecided = any(c.verdict == "undecided" for c in self.checked)
        return "incomplete" if undecided or self.incomplete or self.stopped_by else "healthy"

    @property
    def ok(self) -> bool:
        """True only where nothing is wrong and nothing is undecided."""
        return self.status == "healthy"

    @property
    def exit_status(self) -> int:
        """0 nothing wrong and all measured; 1 a fault of severity error; 3 something needed could not be measured."""
        return EXIT_STATUS[self.status]

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the tensors whose gradient is wrong, inherited ones included."""
        return tuple(c.tensor for c in self.checked if c.verdict in ("wrong", "inherited"))

    def with_findings(self, more: Iterable[Finding]) -> Report:
        """A copy with further findings appended."""
        return replace(self, findings=(*self.findings, *more))

    def text(
        self,
        colour: bool = False,
        width: int | None = None,
        verbose: bool = False,
        ascii: bool = False,  # noqa: A002
        quiet: bool = False,
    ) -> str:
        """The report for a terminal of `width` columns (None: lines as long as they come), without a final newline.

        `verbose` unfolds the table and adds how each number was measured; `ascii` keeps to ASCII; `quiet` leaves one
        line for each error and the last line.
        """
        from . import text

        return text.render(self, colour=colour, width=width, verbose=verbose, ascii=ascii, quiet=quiet)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form (schema 1, docs/report-schema.json) as plain dicts, lists, strings and numbers."""
        from . import as_json

        return as_json.to_dict(self)

    def json(self) -> str:
        """The report as JSON, schema 1."""
        from . import as_json

        return as_json.render(self)

    def html(self) -> str:
        """The report as one HTML page that needs nothing from elsewhere."""
        from . import html

        return html.render(self)

    def sarif(self) -> str:
        """The report as a SARIF 2.1.0 log, for code scanning."""
        from . import sarif

        return sarif.render(self)

    def github(self) -> str:
        """The findings as GitHub Actions workflow commands, one line each."""
        from . import github

        return github.render(self)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from . import html

        return html.fragment(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": self.text(), "text/html": self._repr_html_()}
        return {k: v for k, v in bundle.items() if (not include or k in include) and k not in (exclude or ())}
