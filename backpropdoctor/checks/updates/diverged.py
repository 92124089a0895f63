"""What turns non-finite because of a fault that is known already: said with that fault, and not as one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...finding import Explanation, Finding

# every step is too long, by what it holds of the steps before, or goes the wrong way: values grow without bound
_DIVERGES = ("BD320", "BD321", "BD322")
_SCALED = "BD103"


def with_known_cause(known: Sequence[Finding], born: Sequence[Finding], scale: float = 1.0) -> list[Finding]:
    """All findings; where a known one explains what is born non-finite, that stands with it.

    A factor `scale` that all gradients share explains it where the script stays finite without that factor: this was tried.
    It is a matter of style no longer, then, but the error of a script that ends in NaN.
    """
    errors = [f for f in born if f.severity == "error" and f.code.startswith("BD2")]
    if not errors:
        return [*known, *born]
    tried = _without_factor(errors[0], scale)
    for k, cause in enumerate(known):
        if cause.code in _DIVERGES and cause.severity == "error" or (cause.code == _SCALED and tried):
            rest = [f for f in born if f not in errors]
            return [*known[:k], _joined(cause, errors[0], tried if cause.code == _SCALED else ""), *known[k + 1 :], *rest]
    return [*known, *born]


def _without_factor(finding: Finding, scale: float) -> str:
    """What was seen when every step was as much smaller as the gradients are too large; '' where it was not tried."""
    title = step_title(scale)
    for row in finding.evidence.get("remedies", ()):
        if row["title"] == title and row["removed"]:
            return f"without that factor all stays finite for {row['iterations']:,} iterations"
    return ""


def step_title(scale: float) -> str:
    """What a remedy is called that makes each step smaller."""
    return f"a step {scale:g} times smaller"


def _joined(cause: Finding, born: Finding, proof: str) -> Finding:
    where = f" at line {born.line}" if born.line is not None else ""
    when = f" in iteration {born.step}" if born.step is not None else ""
    said = f"the script turns non-finite{where}{when} because of it" + (f": {proof}" if proof else "")
    related = ((born.span, "the first non-finite value"),) if born.span is not None else ()
    if cause.code == _SCALED:
        cause = replace(
            cause, severity="error", help=f"divide the gradients by that factor, or the learning rate (verified: {proof})"
        )
    explanations = (*cause.explanations, Explanation(said, "verified" if proof else "consistent"))
    return replace(cause, explanations=explanations, related=(*cause.related, *related))
