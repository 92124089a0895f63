"""The words that every form of a report shares, so that all of them say the same."""

from __future__ import annotations

import math
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..finding import Checked, Explanation, Finding, Verdict
from ..rule import Severity
from ..source import Span

if TYPE_CHECKING:
    from .report import Report

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
INHERITED = "inherited: computed rightly from a value that is wrong already; mend that one, and this is right"
HEADERS = {"healthy": "nothing wrong", "faulty": "faulty", "incomplete": "incomplete"}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; within each in the order they were found."""
    return sorted(findings, key=lambda f: SEVERITIES.index(f.severity))


def counted(n: int, noun: str) -> str:
    """'1 error', '2 errors'."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """The names in backticks, with a comma between; after `most` of them 'and N more'."""
    shown = names if most is None or len(names) <= most + 1 else names[:most]
    words = ", ".join(name if "`" in name else f"`{name}`" for name in shown)
    return words if len(shown) == len(names) else f"{words} and {len(names) - len(shown)} more"


def number(value: float | None, digits: int = 6) -> str:
    """A number for a table: '-' for none, else `digits` significant digits."""
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if math.isfinite(value) else str(float(value))


def error_bar(value: float | None) -> str:
    """An error bar with one digit: '3e-12'."""
    return "-" if value is None else f"{value:.0e}" if value and math.isfinite(value) else number(value)


def pair(row: Checked) -> tuple[str, str]:
    """Analytic and numeric value, with as many digits as it takes to tell them apart where the verdict is 'wrong'."""
    told_apart = row.verdict != "right" and row.analytic != row.numeric
    for digits in (6, 9, 12, 15, 17) if told_apart else (6,):
        analytic, numeric = number(row.analytic, digits), number(row.numeric, digits)
        if analytic != numeric:
            break
    return analytic, numeric


def remark(row: Checked) -> str:
    """What stands beside a verdict: the wrong part or the reason of indecision, in words."""
    return row.where or row.reason


def shown_path(path: str, target: str = "") -> str:
    """A path as the user would write it: as given on the command line, else relative where it lies below here."""
    if cell := _cell(path):
        return cell
    if not path or path.startswith("<"):
        return path
    absolute = os.path.abspath(path)
    if target and absolute == os.path.abspath(target):
        return target
    here = os.getcwd()
    return os.path.relpath(absolute, here) if absolute.startswith(here.rstrip(os.sep) + os.sep) else path


def _cell(path: str) -> str | None:
    """'In[3]' for the file name that a notebook's kernel gives to its third cell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    known = getattr(getattr(shell, "compile", None), "format_code_name", None)
    named = known(path) if known else None
    return str(named[1]) if named else None


def place(finding: Finding, target: str = "") -> str:
    """'train.py:126:5', or '' for a finding without a place."""
    span = finding.span
    return f"{shown_path(span.path, target)}:{span.line}:{span.column}" if span else ""


def mark(finding: Finding, span: Span) -> Span:
    """What to mark: `evidence['mark']` = [line, column, end_line, end_column] where that is given, else the span."""
    given = finding.evidence.get("mark")
    if isinstance(given, list | tuple) and len(given) == 4 and all(isinstance(n, int) and n > 0 for n in given):
        return Span(span.path, *given)
    return span


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain: where, what, the value it took ('inf'), and what it is to the run ('loss', 'parameter')."""

    path: str
    line: int | None
    text: str
    value: str
    role: str


def chain(finding: Finding) -> list[Step]:
    """The way of a value from its birth to where it ended, of `evidence['chain']`; it begins at the finding's line."""
    given = finding.evidence.get("chain")
    steps = []
    for link in given if isinstance(given, list | tuple) else ():
        if isinstance(link, Mapping) and (text := ": ".join(str(link[k]) for k in ("name", "text") if link.get(k))):
            line = link.get("line")
            words = {k: "" if link.get(k) is None else str(link[k]) for k in ("path", "value", "role")}
            path = words["path"] or finding.path or ""
            steps.append(Step(path, line if isinstance(line, int) else None, text, words["value"], words["role"]))
    birth = str(finding.evidence.get("expression") or "")
    if steps and birth and birth != steps[0].text:
        steps.insert(0, Step(finding.path or "", finding.line, birth, "", "birth"))
    return steps


def verified(finding: Finding) -> bool:
    """Whether the cause (and with it the fix) was proved in this run."""
    return any(e.status == "verified" for e in finding.explanations)


def advice(finding: Finding) -> str:
    """The help with how sure it is; '' where there is nothing to advise."""
    text = finding.help or (f"write `{finding.fix.after.strip()}`" if finding.fix else "")
    if not text or not finding.fix or "(verified" in text or "(consistent" in text:
        return text
    return f"{text} (verified)" if verified(finding) else f"{text} (consistent with the numbers, not proved)"


def when(finding: Finding) -> str:
    """'step 1393, sample 5', or '' where there is none or the message has the numbers already."""
    parts = [f"{word} {n}" for word, n in (("step", finding.step), ("sample", finding.sample)) if n is not None]
    said = all(re.search(rf"\b{part.split()[1]}\b", finding.message) for part in parts)
    return "" if said else ", ".join(parts)


def facts(finding: Finding, most: int | None = None) -> list[tuple[str, str]]:
    """What is known of a finding beyond its message, as (heading, sentence) in reading order."""
    rows = [("measured", finding.measured), ("first at", when(finding)), ("layer", finding.layer or "")]
    if finding.affects:
        rows.append(("affects", listed(finding.affects, most)))
    elif any(name not in finding.message + finding.measured for name in finding.tensors):
        rows.append(("tensors", listed(finding.tensors, most)))
    rows += [_explained(finding, e) for e in finding.explanations]
    if finding.severity == "error" and finding.code.startswith("BD1") and not finding.explanations:
        rows.append(("why", "unexplained"))
    return [(head, text) for head, text in rows if text]


def _explained(finding: Finding, e: Explanation) -> tuple[str, str]:
    """A cause, or a remedy that was tried: of one that did not help, its text says so."""
    if "remedies" in finding.evidence:
        return "tried", f"{e.text} (verified)" if e.status == "verified" else e.text
    return "why" if e.status == "verified" else "could be", f"{e.text} ({e.status})"


def seconds(value: float) -> str:
    """A duration: '0.8 s', '2 min 5 s'."""
    if value >= 60:
        return f"{int(value // 60)} min {int(value % 60)} s"
    if value < 0.05:
        return "under 0.1 s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def found(report: Report) -> str:
    """What was found: 'found 1 error and 1 warning'."""
    counts = Counter(f.severity for f in report.findings)
    parts = [counted(counts[s], s) for s in SEVERITIES if counts[s]]
    if not counts["error"]:
        limit = " in what was measured" if report.status == "incomplete" else ""
        parts.insert(0, f"nothing wrong{limit}")
    return "found " + " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def verdicts(report: Report) -> str:
    """How the tensors came out: '4 tensors checked: 2 right, 1 wrong, 1 inherits'."""
    counts = Counter(c.verdict for c in report.checked)
    if not report.checked:
        return "no tensor checked"
    words: dict[Verdict, str] = {
        "right": "right",
        "wrong": "wrong",
        "inherited": "wrong by inheritance",
        "undecided": "undecided",
    }
    parts = [f"{counts[v]} {word}" for v, word in words.items() if counts[v]]
    return f"{counted(len(report.checked), 'tensor')} checked: {', '.join(parts)}"


def unmeasured(report: Report) -> str:
    """What could not be measured, as a count; the sentences themselves stand above the last line."""
    n = sum(c.verdict == "undecided" for c in report.checked) + len(report.incomplete)
    words = [f"{counted(n, 'thing')} not measured"] if n else []
    if report.stopped_by:
        words.append("stopped by an exception")
    return ", ".join(words) or "everything measured"


def summary(report: Report) -> str:
    """The last line: what was found, what could not be measured, what it cost."""
    cost = f"{counted(report.cost.evaluations, 'evaluation')}, {seconds(report.cost.seconds)}"
    return "; ".join([found(report), verdicts(report), unmeasured(report), cost])


def loss(report: Report) -> str:
    """What the gradients were held against: '`cost` = 6.88 (line 89, found)'."""
    if report.loss is None:
        return ""
    value = "" if report.loss.value is None else f" = {number(report.loss.value)}"
    line = f"line {report.loss.line}, " if report.loss.line else ""
    return f"`{report.loss.name}`{value} ({line}{report.loss.source})"
