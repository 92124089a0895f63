"""A mended copy of the user's program, run for a few steps to see what comes of the edits."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import FrameType

import numpy as np

from ...tape.run import Stop
from .ahead import Ahead, Edit
from .evaluate import Unknown, attempt
from .history import same_bits
from .names import listing
from .rerun import Outcome, place
from .statements import Statement
from .tracks import Recorded
from .unreached import Unreached

MENDED_STEPS = 4


def mended(gate: Unreached, ahead: Ahead, recorded: Recorded, rerun: Callable[..., Outcome], more: Sequence[Edit]) -> str:
    """Run a copy with the edits for a few steps, and say what came of it; '' where nothing can be said."""
    path = gate.source.path
    text = apply_edits(gate.source.text, [*ahead.edits, *(e for e in more if e[0].path == path)])
    if text is None:
        return ""
    seen: list[dict[str, np.ndarray]] = []
    losses: list[float] = []
    loss = next((t.loss.name for t in recorded.trainings if t.loss and t.loss.source != "implied"), "")

    def look(frame: FrameType) -> None:
        seen.append(_values_at(gate.statements, ahead, frame))
        value = _loss_at(frame, loss)
        if value is not None:
            losses.append(value)
        if len(seen) > MENDED_STEPS:
            raise Stop

    outcome = rerun(probes={place(path, gate.gate.node, "before"): look}, sources={path: text})
    if outcome.exception is not None:
        error = outcome.exception
        return f"with these edits the run goes on to raise {type(error).__name__}: {error}"
    if len(seen) <= MENDED_STEPS or not seen[0]:
        return ""
    moved = [k for k in seen[0] if k in seen[-1] and not same_bits(seen[0][k], seen[-1][k])]
    if len(moved) < len(seen[0]):
        return ""
    fell = ""
    if len(losses) > MENDED_STEPS and losses[-1] < losses[0]:
        fell = f" and `{loss}` falls from {losses[0]:.4g} to {losses[-1]:.4g}"
    return f"verified: in a copy with these edits {listing(moved)} change{fell} in {MENDED_STEPS} steps"


def apply_edits(text: str, edits: Sequence[Edit]) -> str | None:
    """The text with each span replaced; None where two of them overlap or one does not fit."""
    rows = text.splitlines(keepends=True)
    spans = sorted(set(edits), key=lambda e: (e[0].line, e[0].column), reverse=True)
    below: tuple[int, int] | None = None
    for span, after in spans:
        if below is not None and (span.end_line, span.end_column) > below:
            return None
        if not 1 <= span.line <= span.end_line <= len(rows):
            return None
        head, tail = rows[span.line - 1][: span.column - 1], rows[span.end_line - 1][span.end_column - 1 :]
        kept = "\n" * (span.end_line - span.line)
        rows[span.line - 1 : span.end_line] = [head + after + kept + tail]
        below = (span.line, span.column)
    return "".join(rows)


def _values_at(statements: Sequence[Statement], ahead: Ahead, frame: FrameType) -> dict[str, np.ndarray]:
    """Copies of the containers' arrays that the statements change, as the frame holds them now."""
    names = {**frame.f_globals, **frame.f_locals}
    found: dict[str, np.ndarray] = {}
    for statement in statements:
        target = statement.target
        holder = attempt(target.value, names) if isinstance(target, ast.Subscript) else Unknown
        if isinstance(holder, dict):
            found |= {str(k): np.array(v) for k, v in holder.items() if isinstance(v, (np.ndarray, float))}
        elif isinstance(holder, list):
            found |= {str(k): np.array(v) for k, v in enumerate(holder) if isinstance(v, (np.ndarray, float))}
        elif isinstance(target, (ast.Name, ast.Attribute)):
            value = attempt(target, names)
            if isinstance(value, (np.ndarray, float)):
                found[ast.unparse(target)] = np.array(value)
    return found


def _loss_at(frame: FrameType | None, name: str) -> float | None:
    """The loss as one of the functions that are running calls it."""
    while frame is not None and name.isidentifier():
        value = frame.f_locals.get(name)
        if value is not None and np.size(value) == 1 and np.isreal(value).all():
            return float(np.reshape(value, ()))
        frame = frame.f_back
    return None
