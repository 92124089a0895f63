"""The gradients of a recorded training loop examined: understood, measured, blamed. Composition only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .checks.cotangents import Cotangents, sign_of
from .checks.evidence import doubtful, has_noise, leave_shared, leave_undecided, leave_unsettled, of_another_loss
from .checks.gradients import Check, Measured, check_gradients, checked_row, checked_rows
from .checks.scale import alike, is_scaled, same_scale
from .diagnose.blame import Blame, Root
from .diagnose.blame_scale import blame_of
from .diagnose.findings import gradient_findings
from .finding import Checked, Finding
from .load.begins import begins_with
from .load.choose import choose_loss, loss_of_error, standard_beside
from .load.players import players
from .load.understand import Recorded, recorded_steps, understand
from .tape.guards import without_guards
from .tape.tape import Site, Tape
from .tape.training import Training


@dataclass(slots=True)
class Examined:
    """What was found out about the gradients of a training step."""

    training: Training
    check: Check
    blame: Blame | None
    recorded: Recorded | None = None
    roots: list[Root] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    rows: list[Checked] = field(default_factory=list)
    apart: tuple[str, ...] = ()  # the parameters' names, where others of the tape were looked at first, and are right
    doubtful: Examined | None = None  # what there is to say if the loss is the one that the gradients belong to

    @property
    def wrong(self) -> bool:
        return any(f.severity == "error" for f in self.findings)

    @property
    def is_doubtful(self) -> bool:
        """Whether all that is wrong is so only if the loss is the one that the gradients belong to."""
        return not self.wrong and self.doubtful is not None

    def as_if_certain(self) -> Examined:
        """The doubtful findings, once something else says that the loss is the right one."""
        assert self.doubtful is not None
        return replace(self.doubtful, recorded=self.recorded)


def examine(
    tape: Tape, *, loss: str | None = None, params: Sequence[str] = (), namespace: Mapping[str, Any] | None = None
) -> Examined | None:
    """The gradients of the recorded steps; None where no training step was recognised on the tape."""
    recorded = recorded_steps(tape, params, namespace)
    best = _best_of_all(recorded, loss)
    if best is not None and not best.is_right:
        for merged in without_guards(tape):
            bare = recorded_steps(tape, params, namespace, merged)
            other = _best_of_all(bare, loss)
            if other is not None and other.says_more_than(best):
                recorded, best = bare, other
            if best.is_right:
                break
    if best is not None and best.rank == 2:
        best.guess = _under_any_loss(best.check.training)
    if best is not None and best.is_right and not best.others:
        best = next(_belied(best.check.training, recorded, loss), best)
    return None if best is None else replace(best.examined(), recorded=recorded)


def _best_of_all(recorded: Recorded, loss: str | None) -> Judged | None:
    """The verdicts of the step that says most, and of trainings that take turns where it does not say all."""
    best = _best(recorded, loss)
    if best is not None and not (best.is_right and best.covers(recorded)):
        best = _of_players(recorded, loss) or best
    return best


def _best(recorded: Recorded, loss: str | None) -> Judged | None:
    """The verdicts of the step that says most."""
    best: Judged | None = None
    for training in understand(recorded, loss=loss):
        if not training.parameters:
            continue
        found = judged(training)
        if _scale_varies(found.check, recorded, loss):
            standard = standard_beside(training, training.loss) if training.loss is not None else None
            found = judged(replace(training, loss=standard or training.loss), fixed=standard is None)
        if best is None or found.rank < best.rank:
            best = found
        if best.rank == 0:
            break
    return best


def _of_players(recorded: Recorded, loss: str | None) -> Judged | None:
    """The verdicts of trainings that take turns in one step, the wrong ones first; None where they share a loss."""
    found = [_best(part, loss) for part in players(recorded)]
    known = [j for j in found if j is not None and j.rank < 2]
    own = (j.check.training.loss for j in known)
    if not known or len({(o.name, o.site.id if o.site is not None else None) for o in own if o is not None}) < len(found):
        return None
    first = next((j for j in known if j.check.wrong), known[0])
    return replace(first, others=tuple(j.check for j in known if j is not first))


def under_own_loss(again: Callable[[Tape], Examined | None], own: Site | None, tape: Tape) -> Examined | None:
    """What `again` finds; undecided where the script's own loss is lost: an edit that does away with it proves nothing.

    So does one that makes the loss, which stands at `own`, more than one number.
    """
    found = again(tape)
    loss = None if found is None else found.training.loss
    if found is None or loss is None:
        return found
    lost = loss.source == "implied" and found.training.same is None
    if lost or own is not None and _is_several(tape, own):
        leave_undecided(found.check, found.check.measured)
    return found


def _is_several(tape: Tape, site: Site) -> bool:
    """Whether what gets its name at a place is an array each time."""
    at = (site.span.path, site.span.line, site.span.column)
    named = (b for b in tape.bindings if b.node is not None and (b.site.span.path, b.site.span.line, b.site.span.column) == at)
    sizes = [np.size(tape.nodes[b.node].value) for b in named if b.node is not None]
    return bool(sizes) and min(sizes) > 1


def _under_any_loss(training: Training) -> Check | None:
    """Gradients that belong to no loss, under the one that the error at the output belongs to; None where they may be right."""
    loss = loss_of_error(training)
    check = None if loss is None else check_gradients(replace(training, loss=loss))
    return check if check is not None and check.wrong and not has_noise(check) else None


def _scale_varies(check: Check, recorded: Recorded, loss: str | None) -> bool:
    """Whether the one factor of all gradients is another one in another step that does the same: no convention then."""
    if check.training.loss is None or not is_scaled(check):
        return False
    for other in recorded.trainings:
        if other is check.training:
            continue
        if other.loss is None:
            other.loss = choose_loss(other, loss, recorded.borders, recorded.totals)
        if alike(check.training, other):
            return not same_scale(check, check_gradients(other))
    return False


def _belied(right: Training, recorded: Recorded, loss: str | None) -> Iterator[Judged]:
    """Other steps that go wrong where all gradients of one are right: of that training, and of others on the tape.

    The values that a training starts with hide what they multiply: biases of zero, scales of one.
    """
    groups: dict[frozenset[str], list[Training]] = {}
    for training in recorded.trainings:
        groups.setdefault(frozenset(h.tensor.name for h in training.parameters), []).append(training)
    own = frozenset(h.tensor.name for h in right.parameters)
    for names, trainings in groups.items():
        if len(trainings) < 2 or not names or (names & own if names != own else right.step != trainings[0].step):
            continue
        for training in trainings[1:3]:
            training.loss = training.loss or choose_loss(training, loss, recorded.borders, recorded.totals)
        found = [judged(t) for t in trainings[1:3] if t.loss is not None and (names != own or _same_loss(right, t, recorded))]
        wrong = [{m.held.tensor.name for m in j.check.wrong} for j in found]
        sure = all(
            j.rank == 0 and any(m.verdict == "right" and not m.ratio.zero for m in j.check.measured if m.ratio) for j in found
        )
        if found and sure and set.intersection(*wrong) and not any(has_noise(j.check) for j in found):
            yield replace(found[0], apart=() if names == own else tuple(sorted(names)))


def _same_loss(right: Training, other: Training, recorded: Recorded) -> bool:
    """Whether two steps are held against one loss, or a standard one in the place of the script's own is the same there."""
    assert right.loss is not None and other.loss is not None
    if other.loss.source != "implied" or right.loss.source == "implied":
        return other.loss.name == right.loss.name
    own = {right.loss.site.id} if right.loss.site is not None else set()
    standard = choose_loss(replace(right), None, recorded.borders, recorded.totals, own)
    if standard is None or standard.source != "implied" or standard.name != other.loss.name:
        return False
    return all(m.verdict == "right" for m in check_gradients(replace(right, loss=standard)).measured)


@dataclass(slots=True)
class Judged:
    """The verdicts of one training step, before anything is blamed; `guess` are those of a loss that is doubtful."""

    check: Check
    guess: Check | None = None
    apart: tuple[str, ...] = ()
    others: tuple[Check, ...] = ()  # of other trainings of the same step, under losses of their own

    @property
    def is_right(self) -> bool:
        """Whether all gradients were measured and are right."""
        return self.rank == 0 and all(m.verdict == "right" for m in self.check.measured)

    def says_more_than(self, other: Judged) -> bool:
        """Whether more gradients are right, or fewer wrong, or only this backward pass begins with its loss's adjoint."""
        mine, theirs = ((j.count_right, -len(j.check.wrong)) for j in (self, other))
        return mine > theirs or (mine == theirs and self._begins and not other._begins)

    @property
    def count_right(self) -> int:
        """How many gradients are right and not zero."""
        return sum(m.verdict == "right" and m.ratio is not None and not m.ratio.zero for m in self.check.measured)

    @property
    def _begins(self) -> bool:
        training = self.check.training
        return training.loss is not None and begins_with(training, training.loss)

    def covers(self, recorded: Recorded) -> bool:
        """Whether all parameters of any one step were looked at."""
        names = {h.tensor.name for h in self.check.training.parameters}
        return all(names.issuperset(h.tensor.name for h in training.parameters) for training in recorded.trainings)

    @property
    def rank(self) -> int:
        """0 where this step says all there is to say, 1 where another may say more, 2 where it says nothing."""
        training = self.check.training
        if training.loss is None:
            return 2
        unsettled = training.rival is not None and training.rival.kind != "none"  # it is so in all steps
        return int(not unsettled and any(m.verdict == "undecided" for m in self.check.measured))

    def examined(self) -> Examined:
        """With roots, findings and the table."""
        if self.check.training.loss is None:
            found = Examined(self.check.training, self.check, None)
        else:
            found = _blamed(self.check)
        found.apart = self.apart
        found.doubtful = _blamed(self.guess) if self.guess is not None else None
        for other in self.others:
            found.rows += checked_rows(other)
            found.check.measured += other.measured
        return found


def judged(training: Training, *, fixed: bool = False) -> Judged:
    """The verdicts of one training step. With `fixed` no factor of all gradients is a convention."""
    check = check_gradients(training, fixed=fixed)
    if training.loss is None:
        return Judged(check)
    leave_shared(check, of_another_loss(check))
    doubted = check.wrong if fixed and training.loss.source == "implied" else doubtful(check)
    rival = training.rival
    if rival is not None and rival.kind != "none" and not check.wrong:
        own = check_gradients(replace(training, loss=rival.loss), fixed=fixed)
        leave_unsettled(check, rival.loss)
        return Judged(check, own if own.wrong and not has_noise(own) else None)
    if not doubted:
        return Judged(check)
    guess = None
    # an edit that makes all gradients those of this loss would be proof
    if training.loss.source != "implied" and not has_noise(check):
        guess = replace(check, measured=[replace(m) for m in check.measured])
    leave_undecided(check, doubted)
    return Judged(check, guess)


def _blamed(check: Check) -> Examined:
    """Roots, findings and table of what was measured."""
    training = check.training
    blame = blame_of(check) if check.wrong else None
    check = blame.check if blame else check
    found = Examined(training, check, blame)
    found.roots = blame.roots() if blame else []
    found.findings = gradient_findings(check, blame, found.roots)
    cotangents = blame.cotangents if blame else Cotangents(training, check.uniform, sign_of(check.measured))
    found.rows = _rows(check, blame, found.roots) + _intermediate_rows(check, cotangents, found.roots)
    return found


def _rows(check: Check, blame: Blame | None, roots: Sequence[Root]) -> list[Checked]:
    if blame is None:
        return checked_rows(check)
    uniform = {id(m) for m in check.wrong if blame.is_uniform(m)}
    own = {name for root in roots for name in root.tensors}
    rows = []
    for m in check.measured:
        verdict: Any = m.verdict
        if m.verdict == "wrong":
            verdict = "right" if id(m) in uniform else "wrong" if m.held.tensor.name in own else "inherited"
        rows.append(checked_row(check.training, m, verdict))
    return rows


def _intermediate_rows(check: Check, cotangents: Cotangents, roots: Sequence[Root]) -> list[Checked]:
    """The named cotangents that are right; where a wrong one goes wrong is a finding's to say.

    What is blamed may be the adjoint of another value than it is meant for: of `exp(z)` where that of `z` is.
    """
    blamed = {i for root in roots for i in root.instances}
    scale = cotangents.scale
    loss = check.training.loss
    assert loss is not None
    rows = []
    for held in (h for h in cotangents.held() if h.node not in blamed):
        pair = cotangents.paired[cotangents.replay.canonical[held.node]]
        if abs(pair.ratio - 1) < 1e-6 or (scale is not None and abs(pair.ratio - scale) < 1e-6 * abs(scale)):
            ratio = check.training.adjoints.ratio(held.claim, loss.objective, crude=True)
            rows.append(checked_row(check.training, Measured(held, "right", ratio), "right"))
    return rows
