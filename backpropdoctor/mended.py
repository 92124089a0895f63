"""Findings with their causes: what the search for edits, in rounds, has found and proved of each wrong gradient."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .diagnose.blame import Blame, Root
from .diagnose.causes import cause_of
from .diagnose.findings import root_finding, uniform_finding
from .diagnose.repair.combine import Combined
from .diagnose.repair.forward import ForwardEdit
from .diagnose.repair.mending import Mending
from .diagnose.repair.repairs import Repair, repaired_finding
from .diagnose.repair.rerun import Program
from .diagnose.repair.rounds import Round
from .finding import Explanation, Finding, make_finding
from .tape.tape import Tape

LOG = logging.getLogger("backpropdoctor")


def mend(
    program: Program,
    blame: Blame,
    roots: Sequence[Root],
    examine: Callable[[Tape], Any],
    *,
    step_function: str | None = None,
    is_sure: bool = True,
) -> list[Finding]:
    """The findings of a program's wrong gradients, with cause and edit where these could be found and proved.

    `examine(tape)` is the check that the edited program has to pass. Without a repair a root's finding says what was
    measured only. With `is_sure` the loss is known to be the one that the gradients belong to.
    """
    mending = Mending(program, examine, [Round(blame, roots)], step_function, is_sure)
    forward = _sought(mending)
    uniform = uniform_finding(blame.check, blame)
    rest = [uniform] if uniform else []
    if forward is not None:
        others = _findings(mending) if mending.is_proved else []
        return [_forward_finding(blame, roots, *forward, others), *rest]
    return _findings(mending) + rest


def _sought(mending: Mending) -> tuple[ForwardEdit, Combined] | None:
    """The repairs of the roots and their proof, or else an edit of the forward pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mending.search()
            if mending.rounds[0].roots and (not mending.is_proved or mending.is_far_fetched or mending.is_many):
                return mending.forward()
        except Exception:  # whatever goes wrong in a repair, the finding stands
            LOG.debug("the search for an edit of %s failed", mending.program.path, exc_info=True)
    return None


def _findings(mending: Mending) -> list[Finding]:
    """The roots in the order of the backward pass, with what is known of each.

    What is wrong still in the last round was blamed with all edits in place; of the earlier rounds it is the roots
    that were repaired.
    """
    cured = set(mending.together.right) if mending.together is not None else set()
    rows: list[tuple[int, Finding]] = []
    for r in mending.rounds:
        for k, root in enumerate(r.roots):
            if k in r.repairs or r is mending.rounds[-1] and not set(root.affects) <= cured:
                finding = _finding(mending, r, _with_cured(mending, r, k, cured), r.repairs.get(k))
                rows.append((_first_value(mending, finding, min(root.instances)), finding))
    found: list[Finding] = []
    for _, finding in sorted(rows, key=lambda row: row[0]):
        said = (finding.path, finding.line, finding.column, finding.message)
        # what no edit mends may be blamed in several rounds
        if finding.fixes or all((f.path, f.line, f.column, f.message) != said for f in found):
            found.append(finding)
    return found


def _with_cured(mending: Mending, r: Round, k: int, cured: set[str]) -> Root:
    """A root with what the roots have spoilt that have no edit of their own, and that its edit makes right."""
    root, repair = r.roots[k], r.repairs.get(k)
    if repair is None or mending.together is None or not mending.together.verified:
        return root
    mine = [o for i, o in enumerate(r.roots) if i not in r.repairs and set(o.affects) <= cured & set(repair.right)]
    tensors = [t for o in mine for t in o.tensors] if root.tensors else []
    return replace(
        root, affects=_both(root.affects, [t for o in mine for t in o.affects]), tensors=_both(root.tensors, tensors)
    )


def _first_value(mending: Mending, finding: Finding, otherwise: int) -> int:
    """The first backward value that the statement of a finding makes."""
    cotangents, nodes = mending.blame.cotangents, mending.blame.nodes
    sites = ((i, nodes[i].site) for i in cotangents.backward)
    places = ((i, s.span.path, s.statement.lineno) for i, s in sites if s is not None)
    return min((i for i, path, line in places if (path, line) == (finding.path, finding.line)), default=otherwise)


def _finding(mending: Mending, r: Round, root: Root, repair: Repair | None) -> Finding:
    together = mending.together
    belied = together is not None and not together.is_doubtful and together.belies(root.affects)
    is_run = together is not None or repair is not None and not repair.fixes
    if repair is None or not is_run or belied or together is not None and mending.is_spoilt(together):
        found = root_finding(r.blame.check, root)
        found = r.back.finding(found) if r.back is not None else found
    elif together is None or not repair.fixes:
        found = repaired_finding(r.blame.check, root, repair)
    else:
        own = set(root.affects) <= set(together.right) and not repair.is_half and not r.shares(root, set(together.right))
        proved = together.verified or own
        found = repaired_finding(r.blame.check, root, repair, together.proof, "verified" if proved else "consistent")
    if r.back is not None and found.measured:
        return replace(found, measured=f"with the edits of the other lines: {found.measured}")
    return found


def _both(own: list[str], others: list[str]) -> list[str]:
    return sorted({*own, *others}) if set(others) - set(own) else own


def _forward_finding(
    blame: Blame, roots: Sequence[Root], edit: ForwardEdit, proof: Combined, others: Sequence[Finding]
) -> Finding:
    """What is said of the forward pass; `others` are the findings under which the backward pass would be to blame."""
    words = {"was": edit.was, "now": edit.now}
    fix = edit.fixes[0]
    cause = cause_of(edit.kind, words, edit.name, fix.before, fix.after)
    affects = tuple(dict.fromkeys(t for r in roots for t in r.affects))
    return make_finding(
        cause.code,
        cause.message,
        span=edit.statement,
        label=cause.label,
        affects=affects,
        measured=f"the gradients are those of the forward pass with `{edit.now}`",
        explanations=(
            Explanation(f"{cause.message}: `{fix.before}` -> `{fix.after}`", "verified"),
            *(replace(e, text=f"or else, in line {f.line}, {e.text}") for f in others for e in f.explanations),
        ),
        fix=fix,
        fixes=edit.fixes,
        help=f"write `{edit.now}` in the place of `{edit.was}` (verified: {proof.proof})",
        evidence={
            "mistake": edit.kind,
            "mark": [edit.mark.line, edit.mark.column, edit.mark.end_line, edit.mark.end_column],
        },
    )
