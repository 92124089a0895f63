"""The report as one self-contained HTML page, or as a fragment for a notebook: no script, nothing from elsewhere."""

from __future__ import annotations

import hashlib
import linecache
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import __version__, rules
from ..edits import EditError, changed_lines
from ..finding import Checked, Finding
from ..source import Span
from . import drawings, markdown, wording
from .excerpt import plain
from .table import WORDS, fold

if TYPE_CHECKING:
    import jinja2

    from .report import Report

CONTEXT = 2  # source lines shown around a marked one
MOST_DRAWN = 12  # tensors with drawings: more would hide the first, and swell the page
MOST_STEPS = 12  # of a chain
_LONG = 12  # a marked stretch of more lines is cut


def render(report: Report) -> str:
    """The whole page."""
    return _templates().get_template("page.html.j2").render(**_data(report, top=1))


def fragment(report: Report) -> str:
    """The report for a notebook's output cell: a division with its own style sheet."""
    return _templates().get_template("fragment.html.j2").render(**_data(report, top=3))


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    loader = jinja2.PackageLoader("backpropdoctor.report", "templates")
    # every template is HTML and every value in it is the user's: escape all that is not marked safe
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["words"] = markdown.words
    environment.filters["number"] = wording.number
    environment.filters["bar"] = wording.error_bar
    environment.filters["plain"] = plain
    return environment


def _data(report: Report, top: int) -> dict[str, Any]:
    key = _key(report)
    explained: set[str] = set()
    findings = [
        _finding(f, report.target, f"{key}-f{k}", top, explained) for k, f in enumerate(wording.ordered(report.findings), 1)
    ]
    shown, folded = fold(report.checked)
    rest = [c for c in report.checked if c not in shown] if folded else []
    return {
        "report": report,
        "top": top,
        "key": key,
        "version": __version__,
        "state": wording.HEADERS[report.status],
        "summary": wording.summary(report),
        "found": wording.found(report),
        "verdicts": wording.verdicts(report),
        "unmeasured": wording.unmeasured(report),
        "seconds": wording.seconds(report.cost.seconds),
        "loss": wording.loss(report),
        "findings": findings,
        "rows": [_row(c) for c in shown],
        "inherited": wording.INHERITED if any(c.verdict == "inherited" for c in report.checked) else "",
        "rest": [_row(c) for c in rest],
        "rest_words": ", ".join(f"{n} others {WORDS[verdict]}" for verdict, n in folded.items()),
        "drawings": _drawings(report.checked, key),
    }


def _key(report: Report) -> str:
    """What the ids of a report begin with: two reports in one notebook must not share an id."""
    told = [report.target, wording.summary(report), *(f"{f.message}{f.span}" for f in report.findings)]
    told += [f"{c.tensor}{c.analytic}{c.numeric}" for c in report.checked]
    return "bd" + hashlib.sha256("\n".join(told).encode(errors="replace")).hexdigest()[:8]


def _finding(finding: Finding, target: str, key: str, top: int, explained: set[str]) -> dict[str, Any]:
    page = ""
    if finding.code in rules.names() and finding.code not in explained:
        explained.add(finding.code)
        page = markdown.page(rules.get(finding.code).page, top + 3)
    span = finding.span
    return {
        "it": finding,
        "key": key,
        "place": wording.place(finding, target),
        "source": _source(wording.mark(finding, span), finding.label) if span else [],
        "facts": wording.facts(finding),
        "related": [
            (f"{wording.shown_path(s.path, target)}:{s.line}:{s.column}", _source(s, label, context=0), label)
            for s, label in finding.related
        ],
        "advice": wording.advice(finding),
        "edits": _edits(finding, target),
        "chain": wording.chain(finding)[:MOST_STEPS],
        "chain_rest": max(0, len(wording.chain(finding)) - MOST_STEPS),
        "drawings": drawings.draw(finding.evidence, ", ".join(finding.tensors) or finding.code, key),
        "page": page,
    }


def _source(span: Span, label: str, context: int = CONTEXT) -> list[dict[str, Any]]:
    """The lines around a span: number, the text before, within and after the mark, and the label at the last line."""
    rows: list[dict[str, Any]] = []
    first, last = max(1, span.line - context), span.end_line + context
    for n in range(first, last + 1):
        text = linecache.getline(span.path, n)
        if not text:
            continue
        text = text.rstrip("\r\n")
        within = span.line <= n <= span.end_line
        start = span.column - 1 if n == span.line else len(text) - len(text.lstrip())
        stop = span.end_column - 1 if n == span.end_line else len(text)
        cut = (start, max(start, stop)) if within else (len(text), len(text))
        parts = [plain(part) for part in (text[: cut[0]], text[cut[0] : cut[1]], text[cut[1] :])]
        rows.append({"line": n, "parts": parts, "marked": within, "label": label if n == span.end_line else ""})
    if len(rows) > _LONG + 2 * context:
        rows[_LONG - 4 : -4] = [{"line": "", "parts": ["…", "", ""], "marked": False, "label": ""}]
    return rows if any(row["marked"] for row in rows) else []


def _edits(finding: Finding, target: str) -> list[dict[str, Any]]:
    rows = []
    for fix in finding.fixes or ((finding.fix,) if finding.fix else ()):
        path = fix.path or finding.path or ""
        try:
            before, after = changed_lines("".join(linecache.getlines(path)), fix)
        except EditError:
            before, after = fix.before.splitlines(), fix.after.splitlines()
        name = wording.shown_path(path, target)
        rows.append({"line": fix.line, "path": name, "before": map(plain, before), "after": map(plain, after)})
    return rows


def _row(row: Checked) -> dict[str, Any]:
    analytic, numeric = wording.pair(row)
    shape = "" if row.shape is None else " × ".join(map(str, row.shape)) or "scalar"
    cost = wording.counted(row.evaluations, "evaluation") if row.evaluations else ""
    how = "; ".join(part for part in (row.method, cost, row.missed) if part)
    return {
        "it": row,
        "analytic": analytic,
        "numeric": numeric,
        "shape": shape,
        "remark": wording.remark(row),
        "how": how,
    }


def _drawings(checked: tuple[Checked, ...], key: str) -> list[dict[str, Any]]:
    """Drawings of the tensors, the wrong ones first."""
    order = sorted(range(len(checked)), key=lambda k: list(WORDS).index(checked[k].verdict))
    rows: list[dict[str, Any]] = []
    for k in order:
        if len(rows) == MOST_DRAWN:
            break
        if drawn := drawings.draw(checked[k].evidence, checked[k].tensor, f"{key}-t{k}"):
            rows.append({"it": checked[k], "drawings": drawn})
    return rows
