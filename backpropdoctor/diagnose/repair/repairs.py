"""From blamed statements to what is said about them: the cause, the edit, the proof."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...finding import Explanation, Finding, Fix, make_finding
from ...source import Span
from ...tape.adjoint import close
from ...tape.tape import Node, Tape
from ..blame import Blame, Root
from ..called import lambda_name, name_of_place
from ..causes import cause_of
from ..findings import for_what, measured_sentence, root_name
from .best import Found
from .capture import Capture, Place
from .edited import Edited, Misfit
from .halfway import halfway
from .kinds import refined
from .marks import smallest
from .rerun import Program
from .search import Search
from .statements import further_statements, home, statements_of
from .updates import update_statements

_MOST_SHOWN = 4  # equally simple edits that are listed


@dataclass(frozen=True, slots=True)
class Repair:
    """The mended root: pieces of a finding.

    `mark` is the smallest wrong stretch of source, `fixes` the edits of the simplest repair, `advice` the help without its
    proof, `others` the equally simple ones in words. `right` are the gradients that are right under the edit (and those of
    the roots before it). `status` is 'verified' where that held on probes that the edit was not found with.
    """

    code: str
    kind: str
    message: str
    label: str
    mark: Span
    statement: Span
    advice: str
    fixes: tuple[Fix, ...]
    explanations: tuple[Explanation, ...]
    right: frozenset[str]
    status: str
    evidence: dict[str, Any] = field(default_factory=dict)
    alternatives: tuple[Repair, ...] = ()  # the equally simple edits, as repairs of their own
    is_half: bool = False  # something else is wrong besides: not all that the root spoils is right under the edit
    rivals: tuple[Repair, ...] = ()  # less simple edits of such a root, that may be meant as well
    beside: frozenset[Fix] | None = None  # the edits of other roots that leave gradients wrong without this one


def repair_roots(
    blame: Blame,
    roots: Sequence[Root],
    program: Program,
    texts: Mapping[str, str] | None = None,
    examine: Callable[[Tape], Any] | None = None,
) -> dict[int, Repair]:
    """The repairs of the roots, those that mend one fault of two among them, by their position.

    The `program` runs once more, recorded, so that the variables in scope are known; `texts` are the edited sources that
    were recorded, by their absolute path. Where it does not do the same again (it goes through a set of its objects), the
    roots of this run are mended, as `examine` finds them.
    """
    if not roots:
        return {}
    capture = Capture(_statements(blame, roots))
    tape = capture.run(program, blame.replay.tape, texts)
    if not _same_run(blame, tape):
        again = examine(tape) if examine is not None else None
        known = {home(r.site)[0]: k for k, r in enumerate(roots)}
        if again is None or again.blame is None or any(home(r.site)[0] not in known for r in again.roots):
            return {}
        found = _repaired(again.blame, again.roots, capture)
        return {known[home(again.roots[k].site)[0]]: repair for k, repair in found.items()}
    return _repaired(blame, roots, capture)


def _statements(blame: Blame, roots: Sequence[Root]) -> dict[Place, ast.stmt]:
    """All statements that may be edited."""
    rows = [*(statements_of(blame, r) for r in roots), *(further_statements(blame, r) for r in roots)]
    return {p: s for row in rows for p, s in row.items()} | update_statements(blame, roots)


def _repaired(blame: Blame, roots: Sequence[Root], capture: Capture) -> dict[int, Repair]:
    """The repairs of the roots of the run that was captured."""
    statements = {p: s for p, s in _statements(blame, roots).items() if p in capture.moments}
    per_root = [[p for p in statements_of(blame, r) if p in statements] for r in roots]
    beyond = [[p for p in further_statements(blame, r) if p in statements] for r in roots]
    search = Search(blame, capture, statements, roots)
    done: dict[int, Repair] = {}
    edits: dict[int, Edited] = {}
    changed: set[int] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what an edit that is tried warns of is no word to the user
        # what an update does with a gradient can be told once the gradient is right
        for k, root in sorted(enumerate(roots), key=lambda row: bool(search.updates.suspects(row[1]))):
            if set(root.affects) <= search.right():
                continue  # mended by an edit before
            whole = {j for j, repair in done.items() if not repair.is_half}
            others = [r for j, r in enumerate(roots) if j != k and j not in whole]
            shared = {p for j, rows in enumerate(per_root) if j != k and j not in whole for p in rows} & set(per_root[k])
            waits = bool(changed.intersection(root.instances))  # it reads what another edit has changed in part only
            found = search.repair(root, per_root[k], others, beyond[k], shared, briefly=waits)
            if found:
                if not found[0].is_update:
                    search.active.append(found[0].edited)
                    edits[k] = found[0].edited
                done[k] = _repair(blame, root, found)
                continue
            groups = halfway(search, root, set(root.affects)) if not waits else []
            if groups:
                first, *rivals = (replace(_repair(blame, root, group), is_half=True) for group in groups)
                done[k] = replace(first, rivals=tuple(rivals))
                changed |= blame.replay.downstream(search.trial.made_by(groups[0][0].edited))
        if len(edits) > 1 and len(edits) == len(done):
            for k in edits:
                done[k] = _beside(search, roots[k], k, done, edits)
    return done


def _beside(search: Search, root: Root, k: int, done: Mapping[int, Repair], edits: Mapping[int, Edited]) -> Repair:
    """The repair at `k`, with the other edits if gradients of the recorded step are wrong with these alone.

    That is told only of a statement that is blamed itself, under a loss that no edit makes another one.
    """
    repair, loss = done[k], search.blame.check.training.loss
    if repair.statement != root.span or loss is None or loss.source == "implied":
        return repair
    try:
        ratios = search.trial.outcome([e for j, e in edits.items() if j != k]).ratios.values()
    except Misfit:
        return repair
    first = next(iter(ratios))
    if not any(r is None or first is None or not close(r, first) for r in ratios):
        return repair  # right, or off by one factor, which may be a convention
    return replace(repair, beside=frozenset(f for j, other in done.items() if j != k for f in other.fixes))


def _same_run(blame: Blame, tape: Tape) -> bool:
    """Whether the second run did, operation for operation, what the first one did (on other random numbers, perhaps)."""
    first = blame.replay.tape
    if len(tape.nodes) < len(first.nodes):
        return False
    return all(_alike(a, b) for a, b in zip(first.nodes, tape.nodes, strict=False))


def _alike(a: Node, b: Node) -> bool:
    if a.kind != b.kind or np.shape(a.value) != np.shape(b.value):
        return False
    return (a.site.id if a.site else None) == (b.site.id if b.site else None)


def _repair(blame: Blame, root: Root, found: list[Found]) -> Repair:
    rows = [_said(blame, root, f) for f in found[:_MOST_SHOWN]]
    explanations = tuple(Explanation(t, "verified") for t in dict.fromkeys(_sentence(row) for row in rows))
    made = [_one(blame, root, f, row, explanations) for f, row in zip(found, rows, strict=False)]
    return replace(made[0], alternatives=tuple(made[1:]))


def _one(blame: Blame, root: Root, found: Found, row: tuple[Any, ...], explanations: tuple[Explanation, ...]) -> Repair:
    cause, mark, fixes, kind, _ = row
    return Repair(
        code=cause.code,
        kind=kind,
        message=cause.message,
        label=cause.label,
        mark=mark,
        statement=_statement(found, fixes),
        advice=cause.advice + _why(blame, root, found, kind),
        fixes=fixes,
        explanations=explanations,
        right=found.right,
        status="verified",
        evidence=_evidence(root, found, kind),
    )


def _statement(found: Found, fixes: tuple[Fix, ...]) -> Span:
    """The statement that is at fault."""
    text, words = found.scene.text, found.candidate.words
    if found.candidate.kind == "alias" and "at" in words:
        fix = fixes[0]
        return Span(found.scene.place.path, fix.line, 1, fix.line, len(text.lines[fix.line - 1]) + 1)
    return text.span(found.scene.span_statement)


def _sentence(row: tuple[Any, ...]) -> str:
    cause, _, fixes, _, text = row
    return f"{cause.message}: {text}" if text else cause.message


def _said(blame: Blame, root: Root, found: Found) -> tuple[Any, ...]:
    c, scene = found.candidate, found.scene
    kind, words = refined(c, scene, root)
    name = _name(root, found)
    span = scene.text.span(c.old)
    if c.statement is not None and c.fixes:
        fix = c.fixes[0]
        cause = cause_of(kind, words, name, fix.before, fix.after)
        mark = Span(span.path, fix.line, fix.column or 1, fix.end_line or fix.line, fix.end_column or 1)
        return cause, mark, c.fixes, kind, f"`{fix.before}` -> `{fix.after}`"
    if c.redirect:
        fixes = c.fixes or ()
        before, after = (fixes[0].before, fixes[0].after) if fixes and kind == "alias" else ("", "")
        return cause_of(kind, words, name, before, after), span, fixes, kind, ""
    before = scene.text.of(c.old)
    cause = cause_of(kind, words, name, before, found.text)
    return (
        cause,
        smallest(span, before, found.text),
        (scene.text.fix(c.old, found.text),),
        kind,
        f"`{before}` -> `{found.text}`",
    )


def _name(root: Root, found: Found) -> str:
    statement = found.scene.span_statement
    if found.candidate.words.get("target") and found.candidate.kind in ("overwritten", "accumulated"):
        return str(found.candidate.words["target"])
    if isinstance(statement, ast.Return) and statement.value is not None:
        inner = lambda_name(found.scene.tree, statement.value)
        if inner is not None:
            return inner
    if statement.lineno == root.site.statement.lineno and found.scene.place.path == root.span.path:
        changed = ast.unparse(statement.target) if isinstance(statement, ast.AugAssign) else ""
        return changed if changed and root.names and changed not in root.names else root_name(root)
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0])
    if isinstance(statement, ast.AugAssign):
        return ast.unparse(statement.target)
    function = found.scene.function
    name = function.name if isinstance(function, ast.FunctionDef) else ""
    return name_of_place(statement, found.candidate.old, name) or root_name(root)


def _why(blame: Blame, root: Root, found: Found, kind: str) -> str:
    """Why a dropped factor is not to be replaced: what the statement received is the whole adjoint already."""
    if kind != "surplus-factor" or not root.received or any(abs(p.ratio - 1) > 1e-6 for p in root.received):
        return ""
    counts = [
        v.text for v in found.scene.scalars if v.text.isidentifier() and isinstance(v.value, (int, np.integer)) and v.value > 2
    ]
    sizes = {n for v in found.scene.arrays for n in v.shape}
    count = next(
        (t for t in counts if t in ("m", "n", "N", "batch_size", "num_examples") and found.scene.evaluate(t) in sizes),
        None,
    )
    names = (b.name for p in root.received for b in blame.cotangents.names(p.node))
    source = _first_cotangent(blame, root) or next(names, None)
    if source is None:
        return ""
    what = f"1/{count}" if count else "the whole scale of the loss"
    end = f"; 1/{count} in its place would make it {count} times too small" if count else ""
    return f": `{source}` already carries {what}{end}"


def _first_cotangent(blame: Blame, root: Root) -> str | None:
    """The name of the first right cotangent that what the root received is made of."""
    behind = blame.cotangents.replay.upstream(p.node for p in root.received)
    for i in sorted(behind & blame.cotangents.paired.keys()):
        pair = blame.cotangents.paired[i]
        if i in blame.cotangents.gradients or pair.target in blame.cotangents.origins or abs(pair.ratio - 1) > 1e-6:
            continue
        names = [b.name for b in blame.cotangents.names(i) if b.how in ("assign", "augmented")]
        if names:
            return names[0]
    return None


def _evidence(root: Root, found: Found, kind: str) -> dict[str, Any]:
    rows: dict[str, Any] = {"mistake": kind, "cost": round(found.candidate.cost, 2), "right": sorted(found.right)}
    if found.common is not None:
        rows["common_factor"] = found.common
    if root.received:
        rows["received"] = [round(p.ratio, 9) for p in root.received]
    return rows


def repaired_finding(check: Any, root: Root, repair: Repair, proof: str = "", status: str = "") -> Finding:
    """The finding of a root whose cause is known; `proof` is what running the edited program showed."""
    status = status or repair.status
    explanations = tuple(replace(e, status=status) for e in repair.explanations)  # type: ignore[arg-type]
    return make_finding(
        repair.code,
        repair.message + (for_what(root) if repair.code == "BD102" else ""),
        span=repair.statement,
        label=repair.label,
        measured=measured_sentence(check, root),
        layer=root.site.function if root.site.function != "<module>" else None,
        tensors=tuple(root.tensors),
        affects=tuple(root.affects),
        explanations=explanations,
        fix=repair.fixes[0] if repair.fixes else None,
        fixes=repair.fixes,
        help=repair.advice + (f" ({status}: {proof})" if proof else f" ({status})"),
        evidence={
            **repair.evidence,
            "mark": [repair.mark.line, repair.mark.column, repair.mark.end_line, repair.mark.end_column],
        },
    )
