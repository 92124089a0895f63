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
_MOST_TRIES = 16  # edited programs run in all, before the search goes no deeper
_MOST_BLAMED = 6  # edited programs blamed and repaired in all


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

    @property
    def ways(self) -> list[dict[int, Repair]]:
        """What may be edited, the most likely first: what mends a root whole, then with it what mends one fault of several."""
        halves: dict[int, Repair] = {}
        for k, repair in self.halves.items():
            if all(repair.fixes != other.fixes for other in (*self.repairs.values(), *halves.values())):
                halves[k] = repair
        both = {**self.repairs, **halves}
        used = [repair.fixes for repair in both.values()]
        rivals = [(k, rival) for k, repair in halves.items() for rival in repair.rivals if rival.fixes not in used]
        found = [dict(self.repairs), both, *({**both, k: rival} for k, rival in rivals)]
        return [way for k, way in enumerate(found) if way and way not in found[:k]]

    def shares(self, root: Root, cured: set[str]) -> bool:
        """Whether a root that is not mended was made from a value that this one was made from too: that may be at fault."""
        received = {p.node for p in root.received}
        rest = [other for k, other in enumerate(self.roots) if k not in self.repairs and not set(other.affects) <= cured]
        return any(p.node in received for other in rest for p in other.received)

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
    tries: int = 0
    blamed: int = 0
    _nearest: tuple[int, list[Round], Combined | None] = (-1, [], None)

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
        self.tries += 1
        earlier = len(self.blame.replay.tape.nodes)
        found = combine(self.program, fixes, self.examine, step_function=self.step_function, earlier=earlier)
        if found.verified and len(found.right) < len(self.blame.check.measured):
            return replace(found, problem="not all of its gradients were found again")
        return found

    def search(self) -> None:
        """Repair the roots, prove the edits; where something is wrong still, go on from there."""
        first = self.rounds[0]
        first.take(repair_roots(first.blame, first.roots, self.program, examine=self.examine))
        right = sum(m.verdict == "right" for m in first.blame.check.measured)
        self._keep(right)
        if self._go_on(right):
            self._drop_needless()
        else:
            _, self.rounds, self.together = self._nearest

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

    def _go_on(self, right: int) -> bool:
        """Whether edits of the last round prove all, or others after them; `right` gradients are right without them.

        Edits that mend their roots whole must bring nearer; one of several faults may show nothing before the others are
        mended.
        """
        last = self.rounds[-1]
        for way in last.ways:
            last.repairs, is_whole = way, not any(r.is_half for r in way.values())
            found = self._combined()
            if found is None or found.verified:
                self.together = found
                return found is not None
            is_nearer = not found.problem and len(found.right) > right and not self._is_spoilt(found)
            depth = len(self.rounds)
            goes_on = not found.problem and (is_nearer or not is_whole or found.is_doubtful)
            is_new = goes_on and depth < self.most_rounds and self.blamed < _MOST_BLAMED and self._next_round(found)
            if is_nearer and self._is_told() or is_whole and self._nearest[2] is None:
                self._keep(len(found.right) if is_nearer else right, found)
            if is_new and self._go_on(len(found.right)):
                return True
            del self.rounds[depth:]
            if self.tries >= _MOST_TRIES:
                break
        return False

    def _is_spoilt(self, found: Combined) -> bool:
        """Whether a gradient is wrong with the edits that is right as the program stands: they mend nothing then."""
        right = {m.held.tensor.name for m in self.blame.check.measured if m.verdict == "right"}
        return not found.problem and bool(right & set(found.wrong))

    def _is_told(self) -> bool:
        """Whether each edit makes gradients right that were off by more than a factor."""
        return all(repair.right for r in self.rounds for repair in r.repairs.values())

    def _keep(self, right: int, together: Combined | None = None) -> None:
        """Remember the rounds as they are now, if they come nearest to all gradients being right."""
        if right > self._nearest[0] or self._nearest[2] is None:
            self._nearest = right, [replace(r, repairs=dict(r.repairs)) for r in self.rounds], together

    def _drop_needless(self) -> None:
        """Leave out edits without which all gradients are right as well: those accuse what is not at fault."""
        for r in self.rounds:
            for k, repair in list(r.repairs.items()):
                if all(fix in repair.fixes for fix in self.fixes) or self._is_shared(repair):
                    continue  # the only one, or that of several roots
                del r.repairs[k]
                found = self.run(self.fixes) if repair.fixes else self.together
                if found is not None and found.verified:
                    self.together = found
                else:
                    r.repairs[k] = repair

    def _is_shared(self, repair: Repair) -> bool:
        """Whether another root has the same edit."""
        return sum(other.fixes == repair.fixes for r in self.rounds for other in r.repairs.values()) > 1

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
        seen = found.found.doubtful if found.is_doubtful else found.found
        blame, roots = seen.blame, seen.roots
        if blame is None or not roots:
            return False
        back = Back(self.program.path, self.fixes)
        halves = {repair.statement for r in self.rounds for repair in r.repairs.values() if repair.is_half}
        if halves & {back.span(root.span) for root in roots}:
            return False  # what is wrong after its edit as before was not mended by it
        self.blamed += 1
        made = Round(blame, roots, back=back)
        with shown(found.texts):
            made.take(repair_roots(blame, roots, self.program, found.texts, self.examine))
        self.rounds.append(made)
        return bool(made.ways)

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
                    finding = self._finding(r, self._with_cured(r, k, cured), r.repairs.get(k))
                    rows.append((self._first_value(finding, min(root.instances)), finding))
        return [finding for _, finding in sorted(rows, key=lambda row: row[0])]

    def _with_cured(self, r: Round, k: int, cured: set[str]) -> Root:
        """A root with what the roots have spoilt that have no edit of their own, and that its edit makes right."""
        root, repair = r.roots[k], r.repairs.get(k)
        if repair is None or self.together is None or not self.together.verified:
            return root
        mine = [o for i, o in enumerate(r.roots) if i not in r.repairs and set(o.affects) <= cured & set(repair.right)]
        tensors = [t for o in mine for t in o.tensors] if root.tensors else []
        return replace(
            root, affects=_both(root.affects, [t for o in mine for t in o.affects]), tensors=_both(root.tensors, tensors)
        )

    def _first_value(self, finding: Finding, otherwise: int) -> int:
        """The first backward value that the statement of a finding makes."""
        cotangents, nodes = self.blame.cotangents, self.blame.nodes
        sites = ((i, nodes[i].site) for i in cotangents.backward)
        places = ((i, s.span.path, s.statement.lineno) for i, s in sites if s is not None)
        return min((i for i, path, line in places if (path, line) == (finding.path, finding.line)), default=otherwise)

    def _finding(self, r: Round, root: Root, repair: Repair | None) -> Finding:
        together = self.together
        belied = together is not None and not together.is_doubtful and together.belies(root.affects)
        if repair is None or belied or together is not None and self._is_spoilt(together):
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
