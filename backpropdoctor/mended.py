"""Findings with their causes: each root repaired, then all edits together proved by running the edited program."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .diagnose.blame import Blame, Root
from .diagnose.causes import cause_of
from .diagnose.findings import root_finding, uniform_finding
from .diagnose.repair.combine import Combined, combine
from .diagnose.repair.forward import ForwardEdit, first_that
from .diagnose.repair.repairs import Repair, repair_roots, repaired_finding
from .finding import Explanation, Finding, Fix, make_finding
from .tape.tape import Tape

LOG = logging.getLogger("backpropdoctor")
_MOST_RUNS = 6  # of edited programs, where the simplest edits together do not hold


@dataclass(slots=True)
class Mending:
    """The script that is mended, and how an edited one is examined."""

    path: str
    args: Sequence[str]
    blame: Blame
    roots: Sequence[Root]
    examine: Callable[[Tape], Any]
    step_function: str | None = None

    def run(self, fixes: Sequence[Fix]) -> Combined | None:
        """What the program shows with these edits; None where there are none."""
        if not fixes:
            return None
        return combine(self.path, self.args, fixes, self.examine, step_function=self.step_function)

    def together(self, repairs: dict[int, Repair]) -> Combined | None:
        """All repairs at once; where they do not hold, an equally simple one in the place of one of them."""
        first = self.run([f for r in repairs.values() for f in r.fixes])
        if first is None or first.verified:
            return first
        runs = 0
        for k, repair in list(repairs.items()):
            for other in repair.alternatives:
                runs += 1
                if runs > _MOST_RUNS:
                    return first
                changed = {**repairs, k: other}
                again = self.run([f for r in changed.values() for f in r.fixes])
                if again is not None and again.verified:
                    repairs[k] = other
                    return again
        return first

    def forward(self) -> tuple[ForwardEdit, Combined] | None:
        """A forward edit under which all gradients are right."""
        proofs: list[Combined] = []

        def fits(fixes: tuple[Fix, ...]) -> bool:
            found = self.run(fixes)
            if found is not None and found.verified:
                proofs.append(found)
            return bool(proofs)

        edit = first_that(fits, self.blame)
        return (edit, proofs[0]) if edit is not None else None


def mend(
    path: str,
    args: Sequence[str],
    blame: Blame,
    roots: Sequence[Root],
    examine: Callable[[Tape], Any],
    *,
    step_function: str | None = None,
) -> list[Finding]:
    """The findings of a script's wrong gradients, with cause and edit where these could be found and proved.

    `examine(tape)` is the check that the edited program has to pass. Without a repair a root's finding says what was
    measured only.
    """
    mending = Mending(path, args, blame, roots, examine, step_function)
    repairs, together, forward = _sought(mending)
    uniform = uniform_finding(blame.check, blame)
    rest = [uniform] if uniform else []
    if forward is not None:
        return [_forward_finding(blame, roots, *forward), *rest]
    cured = set(together.right) if together is not None else set()
    findings = [
        _finding(blame, root, repairs.get(k), together)
        for k, root in enumerate(roots)
        if k in repairs or not set(root.affects) <= cured  # right under the other roots' edits: inherited, not a root
    ]
    return findings + rest


def _sought(mending: Mending) -> tuple[dict[int, Repair], Combined | None, tuple[ForwardEdit, Combined] | None]:
    """The repairs of the roots and their proof, or else an edit of the forward pass."""
    repairs: dict[int, Repair] = {}
    together: Combined | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            repairs = repair_roots(mending.blame, mending.roots, mending.path, mending.args)
            together = mending.together(repairs)
            if mending.roots and (together is None or not together.verified):
                return repairs, together, mending.forward()
        except Exception:  # whatever goes wrong in a repair, the finding stands
            LOG.debug("the search for an edit of %s failed", mending.path, exc_info=True)
    return repairs, together, None


def _finding(blame: Blame, root: Root, repair: Repair | None, together: Combined | None) -> Finding:
    if repair is None:
        return root_finding(blame.check, root)
    if together is None or not repair.fixes:
        return repaired_finding(blame.check, root, repair)
    proved = together.verified or set(root.affects) <= set(together.right)
    return repaired_finding(blame.check, root, repair, together.proof, "verified" if proved else "consistent")


def _forward_finding(blame: Blame, roots: Sequence[Root], edit: ForwardEdit, proof: Combined) -> Finding:
    words = {"was": edit.was, "now": edit.now}
    fix = edit.fixes[0]
    cause = cause_of("forward-axis", words, edit.name, fix.before, fix.after)
    affects = tuple(dict.fromkeys(t for r in roots for t in r.affects))
    return make_finding(
        cause.code,
        cause.message,
        span=edit.statement,
        label=cause.label,
        affects=affects,
        measured="the backward pass belongs to the forward pass with the other axis",
        explanations=(Explanation(f"{cause.message}: `{fix.before}` -> `{fix.after}`", "verified"),),
        fix=fix,
        fixes=edit.fixes,
        help=f"write `{edit.now}` in the place of `{edit.was}` (verified: {proof.proof})",
        evidence={
            "mistake": "forward-axis",
            "mark": [edit.mark.line, edit.mark.column, edit.mark.end_line, edit.mark.end_column],
        },
    )
