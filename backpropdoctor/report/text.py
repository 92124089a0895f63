"""The report on a terminal: one block a finding in the manner of good compilers, a table, and one last line."""

from __future__ import annotations

import linecache
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..edits import EditError, changed_lines
from ..finding import Checked, Finding, Fix
from ..source import Span
from . import wording
from .excerpt import excerpt, plain, width_of
from .table import WORDS, fold

if TYPE_CHECKING:
    from .report import Report

_COLOURS = {
    "error": "1;31", "warning": "1;33", "note": "1;36", "help": "1;36", "gutter": "1;34", "bold": "1", "dim": "2",
    "right": "32", "wrong": "1;31", "inherited": "33", "undecided": "35", "-": "31", "+": "32",
}  # fmt: skip
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Pen:
    """How to write: in colour, to which width (None: no limit), in ASCII only, with all the details."""

    colour: bool = False
    width: int | None = None
    ascii: bool = False
    verbose: bool = False

    def say(self, text: str) -> str:
        """The text with nothing in it that the terminal cannot show."""
        return " ".join(plain(line, self.ascii) for line in text.splitlines())

    def paint(self, text: str, kind: str) -> str:
        """The text in the colour of `kind`."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour and text else text

    def wrap(self, head: str, text: str, indent: int) -> str:
        """`head` and `text` broken at spaces to the width, further lines indented; colour of the head is kept."""
        if not self.width or width_of(head + text) <= self.width:
            return head + text
        lines = textwrap.wrap(
            text,
            max(self.width - indent, 20),
            initial_indent=" " * max(width_of(head) - indent, 0),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return head + ("\n" + " " * indent).join([lines[0].lstrip(), *lines[1:]]) if lines else head


def render(
    report: Report,
    *,
    colour: bool = False,
    width: int | None = None,
    verbose: bool = False,
    ascii: bool = False,  # noqa: A002
    quiet: bool = False,
) -> str:
    """The whole report as text, without a final newline; see `Report.text`."""
    pen = Pen(colour, width, ascii, verbose)
    findings = wording.ordered(report.findings)
    if quiet:
        lines = [brief(f, pen, report.target) for f in findings if f.severity == "error"]
        return "\n".join([*lines, pen.say(wording.summary(report))])
    blocks = [block(f, pen, report.target) for f in findings]
    if report.checked:
        blocks.append(table(report.checked, pen))
    if tail := _remarks(report, pen):
        blocks.append("\n".join(tail))
    return "\n\n".join([*blocks, _last_line(report, pen)])


def brief(finding: Finding, pen: Pen, target: str = "") -> str:
    """One line: 'train.py:126:5: error[BD102]: …'."""
    where = wording.place(finding, target)
    return pen.say(f"{where}: {_head(finding)}" if where else _head(finding))


def block(finding: Finding, pen: Pen, target: str = "") -> str:
    """One finding: what, where, the source with its mark, what was measured, other places, what to do."""
    title = f"{finding.severity}[{finding.code}]"
    lines = [pen.wrap(pen.paint(title, finding.severity), f": {pen.say(finding.message)}", 4)]
    spans = [s for s in (finding.span, *(s for s, _ in finding.related)) if s]
    gutter = len(str(max((s.end_line for s in spans), default=0))) if spans else 1
    if finding.span:
        lines += _place(
            "-->",
            wording.mark(finding, finding.span),
            finding.span,
            finding.label,
            "^",
            finding.severity,
            gutter,
            pen,
            target,
        )
    for head, text in wording.facts(finding, None if pen.verbose else _MOST_NAMES):
        lead = " " * (gutter + 1) + pen.paint("=", "gutter") + f" {head}: "
        lines.append(pen.wrap(lead, pen.say(text), gutter + 5))
    for span, label in finding.related:
        lines += _place(":::", span, span, label, "-", "gutter", gutter, pen, target)
    if text := wording.advice(finding):
        lines.append(pen.wrap(pen.paint("help", "help") + ": ", pen.say(text), 6))
    for fix in finding.fixes or ((finding.fix,) if finding.fix else ()):
        lines += _edit(fix, finding, gutter, pen, target)
    return "\n".join(lines)


def _head(finding: Finding) -> str:
    return f"{finding.severity}[{finding.code}]: {finding.message}"


def _place(
    arrow: str, mark: Span, span: Span, label: str, sign: str, kind: str, gutter: int, pen: Pen, target: str
) -> list[str]:
    """The line with the path, and the source under it with its mark."""
    path = pen.say(wording.shown_path(span.path, target))
    lines = [f"  {pen.paint(arrow, 'gutter')} {path}:{span.line}:{span.column}"]
    room = pen.width - gutter - 3 if pen.width else None
    rows = excerpt(mark, label, sign=sign, ascii=pen.ascii, width=room)
    for row in rows:
        number = " " * gutter if row.line is None else f"{row.line:>{gutter}}"
        text = pen.paint(row.text, kind) if row.mark else row.text
        lines.append(f"{pen.paint(f'{number} |', 'gutter')} {text}".rstrip())
    if label and not rows:
        lines.append(f"{' ' * (gutter + 1)}{pen.paint('=', 'gutter')} here: {pen.say(label)}")
    return lines


def _edit(fix: Fix, finding: Finding, gutter: int, pen: Pen, target: str) -> list[str]:
    """A fix as the lines before and after it; where the source is not at hand, as the bare texts."""
    path = fix.path or finding.path or ""
    try:
        before, after = changed_lines("".join(linecache.getlines(path)), fix)
    except EditError:
        before, after = fix.before.splitlines(), fix.after.splitlines()
    head = []
    if path and wording.shown_path(path, target) != wording.shown_path(finding.path or "", target):
        head = [f"  {pen.paint('-->', 'gutter')} {pen.say(wording.shown_path(path, target))}:{fix.line}"]
    rows = [
        f"{pen.paint(f'{fix.line + k:>{gutter}} {sign}', sign)} {pen.paint(plain(text, pen.ascii), sign)}"
        for sign, side in (("-", before), ("+", after))
        for k, text in enumerate(side)
    ]
    return head + rows


def table(checked: tuple[Checked, ...], pen: Pen) -> str:
    """Every tensor checked: verdict, analytic and numeric derivative, error bar, ratio; many right ones fold."""
    from tabulate import tabulate

    rows, folded = fold(checked, whole=pen.verbose)
    heads = ["tensor", "verdict", "analytic", "numeric", "error bar", "ratio"]
    cells = [_cells(c, pen) for c in rows]
    if pen.verbose:
        heads += ["line", "shape", "method", "evaluations"]
        cells = [row + _more_cells(c) for row, c in zip(cells, rows, strict=True)]
    for verdict, n in folded.items():
        cells.append([f"{n} others", pen.paint(WORDS[verdict], verdict)])
    numbers = ("left", "left", *["right"] * (len(heads) - 2))
    while True:
        cells = [row + [""] * (len(heads) - len(row)) for row in cells]
        text = tabulate(cells, heads, tablefmt="simple", colalign=numbers[: len(heads)], disable_numparse=True)
        if not pen.width or len(text.splitlines()[1]) <= pen.width or len(heads) == 2:
            break
        # a narrow terminal: the details go first, then the ratio (it stands in the finding), then the numbers
        heads, cells = heads[:-1], [row[: len(heads) - 1] for row in cells]
    notes = [pen.wrap("", _note(c, pen), 4) for c in rows if _note(c, pen)]
    if any(c.verdict == "inherited" for c in checked):
        notes.append(pen.wrap("", wording.INHERITED, 4))
    if folded and not pen.verbose:
        notes.append(pen.paint("the folded rows: --verbose, or .text(verbose=True)", "dim"))
    return "\n".join([text, *notes])


def _cells(row: Checked, pen: Pen) -> list[str]:
    analytic, numeric = wording.pair(row)
    verdict = pen.paint(WORDS[row.verdict], row.verdict)
    ratio = wording.number(row.ratio, 8)
    return [pen.say(row.tensor), verdict, analytic, numeric, wording.error_bar(row.error), ratio]


def _more_cells(row: Checked) -> list[str]:
    shape = "-" if row.shape is None else "x".join(map(str, row.shape)) or "scalar"
    return ["-" if row.line is None else str(row.line), shape, row.method or "-", str(row.evaluations)]


def _note(row: Checked, pen: Pen) -> str:
    """A line under the table for a row with something to say beside its verdict."""
    words = [wording.remark(row)] + ([row.missed] if pen.verbose else [])
    text = "; ".join(w for w in words if w)
    return pen.say(f"`{row.tensor}` {row.verdict}: {text}") if text else ""


def _remarks(report: Report, pen: Pen) -> list[str]:
    """What could not be measured, what ended the run, how far it went, one sentence a line."""
    rows = [("not measured", text) for text in report.incomplete]
    if report.stopped_by:
        rows.append(("stopped", report.stopped_by))
    if report.loss and pen.verbose:
        rows.append(("loss", wording.loss(report)))
    rows += [("note", text) for text in report.notes]
    return [pen.wrap(pen.paint(head, "bold") + ": ", pen.say(text), 4) for head, text in rows]


def _last_line(report: Report, pen: Pen) -> str:
    kind = {"healthy": "right", "faulty": "wrong", "incomplete": "undecided"}[report.status]
    text = pen.say(wording.summary(report))  # one line, unless a narrow terminal would break it within a word
    first = text.partition(";")[0]
    wrapped = pen.wrap("", text, 4)
    return pen.paint(first, kind) + wrapped[len(first) :] if wrapped.startswith(first) else wrapped
