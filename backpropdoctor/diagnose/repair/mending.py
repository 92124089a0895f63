"""The search for edits that make all gradients of a program right, in rounds.

The roots are repaired, and all edits together proved by running the edited program. Where that shows gradients that are
still wrong, the edited program is blamed and repaired in its turn: one fault may hide behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...finding import Fix
from ...load.script import ENOUGH
from ...source import Span
from ...tape.adjoint import close
from ...tape.tape import Tape
from ..blame import Blame, Root
from .back import Back, shown
from .combine import Combined, Nearness, combine, nearness
from .forward import COST, ForwardEdit, first_that, forward_edits, unlike_edits
from .multiples import term_edits
from .placed import placed
from .repairs import Repair, repair_roots
from .rerun import Program
from .rounds import Round
from .turns import turned

_MOST_RUNS = 6  # of edited programs, where the simplest edits together do not hold
_MOST_ROUNDS = 5
_MOST_TRIES = 16  # edited programs run in all, before the search goes no deeper
_MOST_BLAMED = 6  # edited programs blamed and repaired in all


@dataclass(slots=True)
class Mending:
    """The program that is mended, how an edited one is examined, and what was found so far."""

    program: Program
    examine: Callable[[Tape], Any]
    rounds: list[Round]
    step_function: str | None = None
    is_sure: bool = True  # whether the loss is known to be the one that the gradients belong to
    together: Combined | None = None
    tries: int = 0
    blamed: int = 0
    _nearest: tuple[Nearness, list[Round], Combined | None] = ((-1, -1, -1), [], None)

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
        found = combine(self.program, fixes, self.examine, step_function=self.step_function, earlier=self._needed)
        if found.verified and len(found.right) < len(self.blame.check.measured):
            return replace(found, problem="not all of its gradients were found again")
        return found

    @property
    def _needed(self) -> int:
        """How many operations show the steps up to the one that was checked, and as many steps as are recorded at least."""
        training = self.blame.check.training
        steps = training.step + 1
        return min(len(self.blame.replay.tape.nodes), training.end * max(ENOUGH, steps + 1) // steps)

    def search(self) -> None:
        """Repair the roots, prove the edits; where something is wrong still, go on from there."""
        first = self.rounds[0]
        if len(first.roots) == 1 and self.place():
            return
        first.take(repair_roots(first.blame, first.roots, self.program, examine=self.examine))
        begin = nearness(first.blame.check)
        self._keep(begin)
        if self._go_on(begin):
            self._drop_needless()
        else:
            _, self.rounds, self.together = self._nearest
            if not (len(first.roots) > 1 and self.place()):
                self.turn()

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
        return min(map(_cost, first.repairs.values())) > COST

    @property
    def is_many(self) -> bool:
        """Whether all gradients are right with edits of several statements: one edit instead would be simpler."""
        return self.is_proved and len({r.statement for made in self.rounds for r in made.repairs.values()}) > 1

    @property
    def spoils_all(self) -> bool:
        """Whether no gradient is right."""
        return all(m.verdict != "right" for m in self.blame.check.measured)

    def _go_on(self, before: Nearness) -> bool:
        """Whether edits of the last round prove all, or others after them; `before` is how near it is without them.

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
            is_nearer = not found.problem and found.nearness > before and not self.is_spoilt(found)
            depth = len(self.rounds)
            goes_on = not found.problem and (is_nearer or not is_whole or found.is_doubtful)
            if not self.is_sure:  # an edit upon an edit could make a backward pass fit a loss that is not its own
                goes_on = is_nearer and bool(found.right) and not found.is_doubtful
            is_new = goes_on and depth < _MOST_ROUNDS and self.blamed < _MOST_BLAMED and self._next_round(found)
            if is_nearer and self._is_told() or is_whole and self._nearest[2] is None and not found.stops:
                self._keep(found.nearness if is_nearer else before, found)
            if is_new and self._go_on(found.nearness):
                return True
            del self.rounds[depth:]
            if self.tries >= _MOST_TRIES:
                break
        return False

    def is_spoilt(self, found: Combined) -> bool:
        """Whether a gradient is wrong with the edits that is right as the program stands: they mend nothing then.

        That only its step is wrong can show once the others are right.
        """
        right = {m.held.tensor.name for m in self.blame.check.measured if m.verdict == "right"}
        return not found.problem and bool(right & (set(found.wrong) - set(found.unscaled)))

    def _is_told(self) -> bool:
        """Whether each edit makes gradients right that were off by more than a factor."""
        return all(repair.right for r in self.rounds for repair in r.repairs.values())

    def _keep(self, near: Nearness, together: Combined | None = None) -> None:
        """Remember the rounds as they are now, if they come nearest to all gradients being right."""
        if near > self._nearest[0] or self._nearest[2] is None:
            self._nearest = near, [replace(r, repairs=dict(r.repairs)) for r in self.rounds], together

    def _drop_needless(self) -> None:
        """Leave out edits without which all gradients are right as well, or are with one of another statement instead."""
        for r in list(self.rounds):
            for k, repair in list(r.repairs.items()):
                rest = {fix for fix in self.fixes if fix not in repair.fixes}
                if not rest or self._is_shared(repair) or repair.beside == rest:
                    continue  # the only one, or that of several roots, or without it the recorded step is wrong
                del r.repairs[k]
                found = self.run(self.fixes) if repair.fixes else self.together
                if found is not None and not found.verified:
                    found = self._elsewhere(found, repair)
                if found is not None and found.verified:
                    self.together = found
                else:
                    r.repairs[k] = repair

    def _elsewhere(self, found: Combined, repair: Repair) -> Combined | None:
        """The proof of an edit of another statement, no less simple, that is blamed with all the other edits in place.

        What is said of the last fault is what would be said of it alone.
        """
        if found.problem or self.blamed == _MOST_BLAMED:
            return None
        depth = len(self.rounds)
        if self._next_round(found, {repair.statement}):
            made = self.rounds[-1]
            made.repairs = made.ways[0]
            again = self.run(self.fixes) if sum(map(_cost, made.repairs.values())) <= _cost(repair) else None
            if again is not None and again.verified:
                return again
        del self.rounds[depth:]
        return None

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
            if again is not None and again.nearness > best.nearness and not again.problem:
                best = again
            else:
                repairs[k] = kept
            if best.verified:
                break
        return best

    def _others(self) -> Iterator[tuple[dict[int, Repair], int, Repair]]:
        """The equally simple repairs, each with where it would stand."""
        for r in self.rounds:
            for k, repair in r.repairs.items():
                for other in repair.alternatives:
                    yield r.repairs, k, other

    def _next_round(self, found: Combined, known: Collection[Span] = ()) -> bool:
        """Blame and repair the edited program; whether there was anything new, at none of the `known` statements."""
        seen = found.found.doubtful if found.is_doubtful else found.found
        blame, roots = seen.blame, seen.roots
        if blame is None or not roots:
            return False
        back = Back(self.program.path, self.fixes)
        halves = {
            repair.statement
            for r in self.rounds
            for k, repair in r.repairs.items()
            if repair.is_half and repair.statement == (r.roots[k].span if r.back is None else r.back.span(r.roots[k].span))
        }
        if halves.union(known) & {back.span(root.span) for root in roots}:
            return False  # what is blamed after its edit as before was not mended by it
        self.blamed += 1
        made = Round(blame, roots, back=back)
        with shown(found.texts):
            made.take(repair_roots(blame, roots, self.program, found.texts, self.examine))
        self.rounds.append(made)
        return bool(made.ways)

    def place(self) -> bool:
        """Whether all is right once what the roots only put somewhere is put elsewhere: that is their repair then."""
        return self._run_through(placed)

    def turn(self) -> bool:
        """Whether all is right once a loop around what is wrong runs over other turns."""
        return self._run_through(turned)

    def _run_through(self, edits: Callable[[Blame, Root], Iterable[Repair]]) -> bool:
        """Whether all is right with one of the edits of a root that has no repair: it is that root's repair then."""
        first = self.rounds[0]
        for k, root in enumerate(first.roots):
            for repair in edits(self.blame, root) if k not in first.repairs else ():
                found = self.run([*self.fixes, *repair.fixes])
                if found is not None and found.verified:
                    first.repairs[k], self.together = repair, found
                    return True
        return False

    def forward(self) -> tuple[ForwardEdit, Combined] | None:
        """A forward edit under which all gradients are right."""
        proofs: list[Combined] = []

        def fits(fixes: tuple[Fix, ...]) -> bool:
            found = self.run(fixes)
            if found is not None and found.verified:
                proofs.append(found)
            return bool(proofs)

        def keeps(fixes: tuple[Fix, ...]) -> bool:
            held = self.blame.cotangents.count_exact()
            rows = proofs[0].found.rows if fits(fixes) else ()
            if proofs and sum(r.kind == "intermediate" and close(abs(r.ratio or 0.0), 1.0) for r in rows) < held:
                proofs.clear()  # what the backward pass holds on its way belongs to the loss as it is
            return bool(proofs)

        proved = set(self.fixes) if self.is_proved else set()  # an edit of an update is none of the forward pass
        if self.is_many:
            edit = first_that(keeps, term_edits(self.blame))
        elif self.is_proved and not self.spoils_all:
            edit = first_that(keeps, (e for e in unlike_edits(self.blame) if not proved.issuperset(e.fixes)))
        else:
            edit = first_that(fits, (e for e in forward_edits(self.blame) if not proved.issuperset(e.fixes)))
        return (edit, proofs[0]) if edit is not None else None


def _cost(repair: Repair) -> float:
    """How far an edit is from simple."""
    return float(repair.evidence.get("cost", 0.0))
