"""Findings with their causes: each root repaired, then all edits together proved by running the edited program.

Where that shows gradients that are still wrong, the edited program is blamed and repaired in its turn: one fault may hide
behind another.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .diagnose.blame import Blame, Root
from .diagnose.causes import cause_of
from .diagnose.findings import root_finding, uniform_finding
from .diagnose.repair.back import Back, shown
from .diagnose.repair.combine import Combined, combine
from .diagnose.repair.forward import COST, ForwardEdit, first_that, forward_edits, variable_edits
from .diagnose.repair.repairs import Repair, repair_roots, repaired_finding
from .diagnose.repair.rerun import Program
from .finding import Explanation, Finding, Fix, make_finding
from .tape.tape import Tape

LOG = logging.getLogger("backpropdoctor")
_MOST_RUNS = 6  # of edited programs, where the simplest edits together do not hold
_MOST_ROUNDS = 5


@dataclass(slots=True)
class Round:
    """The roots of one examination and their repairs, by position; `back` leads from an edited text to the user's.

    `halves` are edits that mend one fault of two.
    """

    blame: Blame
    roots: Sequence[Root]
    repairs: dict[int, Repair] = field(default_factory=dict)
    back: Back | None = None
    halves: dict[int, Repair] = field(default_factory=dict)

    def take(self, repairs: dict[int, Repair]) -> None:
        """Keep repairs, told as edits of the user's text."""
        for k, repair in repairs.items():
            moved = self.back.repair(repair) if self.back is not None else repair
            if moved is not None:
                (self.halves if repair.is_half else self.repairs)[k] = moved


@dataclass(slots=True)
class Mending:
    """The program that is mended, how an edited one is examined, and what was found so far."""

    program: Program
    examine: Callable[[Tape], Any]
    rounds: list[Round]
    step_function: str | None = None
    together: Combined | None = None
    most_rounds: int = _MOST_ROUNDS

    @property
    def blame(self) -> Blame:
        """What the program as it stands is blamed for."""
        return self.rounds[0].blame

    @property
    def fixes(self) -> list[Fix]:
        """The edits of all rounds."""
        return [f for r in self.rounds for repair in r.repairs.values() for f in repair.fixes]

    def run(self, fixes: Sequence[Fix]) -> Combined | None:
        """What the program shows with these edits; None where there are none."""
        if not fixes:
            return None
        found = combine(self.program, fixes, self.examine, step_function=self.step_function)
        if found.verified and len(found.right) < len(self.blame.check.measured):
            return replace(found, problem="not all of its gradients were found again")
        return found

    def search(self) -> None:
        """Repair the roots, prove the edits; where something is wrong still, go on from there."""
        first = self.rounds[0]
        first.take(repair_roots(first.blame, first.roots, self.program, examine=self.examine))
        self._go_on(sum(m.verdict == "right" for m in first.blame.check.measured))
        kept, repairs, together = list(self.rounds), dict(self.rounds[-1].repairs), self.together
        while not self.is_proved and len(self.rounds) < self.most_rounds and self.rounds[-1].halves:
            self.rounds[-1].repairs.update(self.rounds[-1].halves)
            self.rounds[-1].halves = {}
            self._go_on(-1)
        if not self.is_proved:
            self.rounds, self.together = kept, together
            self.rounds[-1].repairs = repairs

    @property
    def is_proved(self) -> bool:
        """Whether all gradients are right with the edits."""
        return self.together is not None and self.together.verified

    @property
    def is_far_fetched(self) -> bool:
        """Whether the one edit of the backward pass that was found is less simple than one of the forward pass."""
        first = self.rounds[0]
        if len(self.rounds) > 1 or len(first.roots) > 1 or not first.repairs:
            return False
        return min(r.evidence.get("cost", 0.0) for r in first.repairs.values()) > COST

    @property
    def spoils_all(self) -> bool:
        """Whether no gradient is right."""
        return all(m.verdict != "right" for m in self.blame.check.measured)

    def _go_on(self, right: int) -> None:
        """Run the program with all edits, and blame and repair it again as long as more gradients than `right` are right."""
        while True:
            found = self._combined()
            self.together = found or self.together
            if found is None or found.verified or found.problem or len(self.rounds) == self.most_rounds:
                return
            if len(found.right) <= right or not self._next_round(found):
                return  # no nearer, or nothing new
            right = len(found.right)

    def _combined(self) -> Combined | None:
        """All repairs at once; where they do not hold, an equally simple one in the place of one of them."""
        best = self.run(self.fixes)
        if best is None or best.verified:
            return best
        for runs, (repairs, k, other) in enumerate(list(self._others())):
            if runs == _MOST_RUNS:
                break
            kept, repairs[k] = repairs[k], other
            again = self.run(self.fixes)
            if again is not None and again.verified:
                return again
            repairs[k] = kept
        return best

    def _others(self) -> Iterator[tuple[dict[int, Repair], int, Repair]]:
        """The equally simple repairs, each with where it would stand."""
        for r in self.rounds:
            for k, repair in r.repairs.items():
                for other in repair.alternatives:
                    yield r.repairs, k, other

    def _next_round(self, found: Combined) -> bool:
        """Blame and repair the edited program; whether there was anything new."""
        blame, roots = found.found.blame, found.found.roots
        if blame is None or not roots:
            return False
        made = Round(blame, roots, back=Back(self.program.path, self.fixes))
        with shown(found.texts):
            made.take(repair_roots(blame, roots, self.program, found.texts, self.examine))
        self.rounds.append(made)
        return bool(made.repairs)

    def forward(self) -> tuple[ForwardEdit, Combined] | None:
        """A forward edit under which all gradients are right."""
        proofs: list[Combined] = []

        def fits(fixes: tuple[Fix, ...]) -> bool:
            found = self.run(fixes)
            if found is not None and found.verified:
                proofs.append(found)
            return bool(proofs)

        if self.is_proved and not self.spoils_all:
            edit = first_that(fits, variable_edits(self.blame))
        else:
            edit = first_that(fits, forward_edits(self.blame))
        return (edit, proofs[0]) if edit is not None else None

    def findings(self) -> list[Finding]:
        """The roots in the order of the backward pass, with what is known of each.

        What is wrong still in the last round was blamed with all edits in place; of the earlier rounds it is the roots
        that were repaired.
        """
        cured = set(self.together.right) if self.together is not None else set()
        rows: list[tuple[int, Finding]] = []
        for r in self.rounds:
            for k, root in enumerate(r.roots):
                if k in r.repairs or r is self.rounds[-1] and not set(root.affects) <= cured:
                    finding = self._finding(r, root, r.repairs.get(k))
                    rows.append((self._first_value(finding, min(root.instances)), finding))
        return [finding for _, finding in sorted(rows, key=lambda row: row[0])]

    def _first_value(self, finding: Finding, otherwise: int) -> int:
        """The first backward value that the statement of a finding makes."""
        cotangents, nodes = self.blame.cotangents, self.blame.nodes
        sites = ((i, nodes[i].site) for i in cotangents.backward)
        places = ((i, s.span.path, s.statement.lineno) for i, s in sites if s is not None)
        return min((i for i, path, line in places if (path, line) == (finding.path, finding.line)), default=otherwise)

    def _finding(self, r: Round, root: Root, repair: Repair | None) -> Finding:
        together = self.together
        if repair is None:
            found = root_finding(r.blame.check, root)
            found = r.back.finding(found) if r.back is not None else found
        elif together is None or not repair.fixes:
            found = repaired_finding(r.blame.check, root, repair)
        else:
            proved = together.verified or set(root.affects) <= set(together.right)
            found = repaired_finding(r.blame.check, root, repair, together.proof, "verified" if proved else "consistent")
        if r.back is not None and found.measured:
            return replace(found, measured=f"with the edits of the other lines: {found.measured}")
        return found


def mend(
    program: Program,
    blame: Blame,
    roots: Sequence[Root],
    examine: Callable[[Tape], Any],
    *,
    step_function: str | None = None,
    most_rounds: int = _MOST_ROUNDS,
) -> list[Finding]:
    """The findings of a program's wrong gradients, with cause and edit where these could be found and proved.

    `examine(tape)` is the check that the edited program has to pass. Without a repair a root's finding says what was
    measured only. An edited program is blamed again in at most `most_rounds` - 1 rounds.
    """
    mending = Mending(program, examine, [Round(blame, roots)], step_function, most_rounds=most_rounds)
    forward = _sought(mending)
    uniform = uniform_finding(blame.check, blame)
    rest = [uniform] if uniform else []
    if forward is not None:
        others = mending.findings() if mending.is_proved else []
        return [_forward_finding(blame, roots, *forward, others), *rest]
    return mending.findings() + rest


def _sought(mending: Mending) -> tuple[ForwardEdit, Combined] | None:
    """The repairs of the roots and their proof, or else an edit of the forward pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mending.search()
            if mending.rounds[0].roots and (not mending.is_proved or mending.is_far_fetched):
                return mending.forward()
        except Exception:  # whatever goes wrong in a repair, the finding stands
            LOG.debug("the search for an edit of %s failed", mending.program.path, exc_info=True)
    return None


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
