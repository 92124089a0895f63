"""Faults of the update itself: the gradient is right, and what is done with it is not."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...tape.adjoint import Claim, proportion, shaped
from ...tape.algebra import Term
from ...tape.steps import Steps, Update
from ...tape.tape import Site
from ..blame import Blame, Root
from .capture import Place
from .edited import Edited, Misfit, run_edited
from .evaluation import seen_by
from .trial import FRESH, SEARCH, Trial


@dataclass(slots=True)
class Step:
    """One parameter's update: its statement and how far the parameter moved, as a multiple of the true gradient.

    Of a list there is an update for each element, made by one statement.
    """

    measured: Measured
    updates: tuple[Update, ...]
    place: Place
    coefficient: float | None
    statement: ast.stmt

    @property
    def news(self) -> set[int]:
        """The nodes of what the parameter becomes."""
        return {u.new for u in self.updates}


class UpdateTrial:
    """Holds the steps that the parameters really take against the one multiple of the gradient that they share."""

    def __init__(self, check: Check, steps: Steps) -> None:
        self.check = check
        self.adjoints = check.training.adjoints
        self.replay = check.training.replay
        assert check.training.loss is not None
        self.objective = check.training.loss.objective
        self._plain: dict[str, float | None] = {}
        self.steps = {s.measured.held.tensor.name: s for s in self._found(steps)}

    def _found(self, steps: Steps) -> Iterator[Step]:
        canonical = self.replay.canonical
        by_term: dict[int, list[Update]] = {}
        for update in steps.updates:
            whole = set(self.replay.tape.nodes[update.new].inputs()) - {update.old}  # a gradient with a decay in it
            for i in dict.fromkeys([*(t.node for t in update.terms), *sorted(whole)]):
                for scaling in steps.algebra.all_scalings(i):
                    by_term.setdefault(canonical[scaling.node], []).append(update)
        for m in self.check.measured:
            if m.held.update is not None and m.held.update.site is not None:
                yield self._step(m, (m.held.update,), m.held.update.site)
                continue
            updates = []
            for node, terms in zip(m.held.tensor.nodes, m.held.claim.terms, strict=True):
                of_node = by_term.get(canonical[terms[-1].node], ()) if terms else ()
                updates += [u for u in of_node if canonical[u.old] == node and u.site is not None][:1]
            sites = [u.site for u in updates if u.site is not None]
            if len(sites) == len(m.held.tensor.nodes) and len({id(s.statement) for s in sites}) == 1:
                yield self._step(m, tuple(updates), sites[0])

    def _step(self, m: Measured, updates: tuple[Update, ...], site: Site) -> Step:
        moved = [self._moved(u, self.replay.base(u.new)) for u in updates]
        return Step(m, updates, Place.of(site), self._multiple(m, moved, SEARCH), site.statement)

    def _moved(self, update: Update, new: Any) -> np.ndarray:
        old = np.asarray(self.replay.base(update.old), dtype=float)
        return old - np.asarray(new, dtype=float)

    def _multiple(self, m: Measured, moved: Sequence[np.ndarray], numbers: tuple[int, ...]) -> float | None:
        """The step over the true gradient, if they are parallel."""
        pairs = []
        for number in numbers:
            truth = self.adjoints.slope(m.held.tensor, self.objective, number)
            if truth is None:
                return None
            total = room = 0.0
            for node, far in zip(m.held.tensor.nodes, moved, strict=True):
                u = self.adjoints.direction(node, number)
                try:
                    total += float((shaped(far, u.shape) * u).sum())
                except ValueError:
                    return None
                # old - new loses the digits that the parameter has before the point
                noise = 64 * float(np.finfo(float).eps) * float(np.abs(self.replay.base(node)).max() + 1e-300)
                room += noise * float(np.abs(u).sum())
            pairs.append((total, room, truth.value, truth.error))
        return proportion(pairs).value

    @property
    def shared(self) -> float | None:
        """The multiple of the right parameters, where they agree."""
        values = [s.coefficient for s in self.steps.values() if s.measured.verdict == "right" and s.coefficient]
        if not values:
            return None
        middle = float(np.median(values))
        agree = [v for v in values if abs(v - middle) <= 1e-5 * abs(middle)]
        return middle if len(agree) * 2 > len(values) and middle > 0 else None

    def suspects(self, root: Root) -> list[Step]:
        """The updates of a root's parameters that are at fault: of a gradient that is right, or with a wrong variable."""
        found = []
        for name in root.tensors or root.affects:
            step = self.steps.get(name)
            if step is not None and (self._only_reads(root, step) or self._variable_is_right(step) or self._stands_still(step)):
                found.append(step)
        return found

    def _only_reads(self, root: Root, step: Step) -> bool:
        """Whether the blamed statement is the update, and its gradient was made by another one."""
        nodes = self.replay.tape.nodes
        made = [nodes[i].site for i in step.measured.held.claim.gradient_nodes]
        blamed = root.site.statement is step.statement
        if step.measured.held.evidence != "update":
            return blamed
        return blamed and all(s is not None and s.statement is not step.statement for s in made)

    def _stands_still(self, step: Step) -> bool:
        """Whether a parameter does not move at all: whether nothing is left of its gradient or of its step, none can tell."""
        return not any(np.any(self._moved(u, self.replay.base(u.new))) for u in step.updates)

    def _variable_is_right(self, step: Step) -> bool:
        """Whether the gradient variable itself is what those of the right parameters are, update factors left out."""
        ratio = self._plain_ratio(step)
        if ratio is None:
            return False
        others = [self._plain_ratio(s) for s in self.steps.values() if s.measured.verdict == "right"]
        known = [v for v in others if v] or [1.0, self.check.uniform]
        return any(abs(ratio - v) <= 1e-6 * abs(v) for v in known)

    def _plain_ratio(self, step: Step) -> float | None:
        """The gradient variable over the truth, without sign or factor of the update."""
        name = step.measured.held.tensor.name
        if name not in self._plain:
            terms = step.measured.held.claim.terms
            plain = tuple(tuple(Term(abs(t.factor), t.node) for t in ts) for ts in terms)
            claim = Claim(step.measured.held.tensor, plain)
            ratio = self.adjoints.ratio(claim, self.objective) if all(len(ts) == 1 for ts in terms) else None
            self._plain[name] = None if ratio is None or ratio.zero else ratio.value
        return self._plain[name]

    def fitting(self, trial: Trial, steps: Sequence[Step], edited: Edited, spoilt: Collection[int]) -> list[Step]:
        """The steps that an edited update makes right; [] if one is wrong that reads nothing that is `spoilt` elsewhere."""
        found: list[Step] = []
        for step in steps:
            if self._fits(trial, step, edited) and self._fits(trial, step, edited, fresh=True):
                found.append(step)
            elif not any(self.replay.canonical[i] in spoilt for i in self._read(trial, step, edited)):
                return []
        return found

    def _read(self, trial: Trial, step: Step, edited: Edited) -> list[int]:
        """The recorded values that an edited update can get hold of."""
        moments = [m for m in trial.all_moments[step.place] if any(n in step.news for _, n in m.outs)]
        return [i for m in moments for i in seen_by(trial.scenery, m, edited)]

    def _fits(self, trial: Trial, step: Step, edited: Edited, *, fresh: bool = False) -> bool:
        """Whether an edited update moves its parameter by the multiple of the gradient that the others have."""
        own = step.measured.held.coefficient
        wanted = self.shared or (abs(own) * self.check.uniform if own else None)
        moments = [m for m in trial.all_moments[step.place] if any(n in step.news for _, n in m.outs)]
        if wanted is None:
            return False
        made: dict[int, Any] = {}
        for moment in moments[: len(step.updates)]:
            try:
                values = run_edited(edited, moment, trial.value_seen)
            except Misfit:
                return False
            made |= {node: value for (_, node), value in zip(moment.outs, values, strict=True)}
        try:
            moved = [self._moved(u, made[u.new]) for u in step.updates]
        except (KeyError, ValueError, TypeError):
            return False
        numbers, m = FRESH if fresh else SEARCH, step.measured
        slopes = [self.adjoints.slope(m.held.tensor, self.objective, number) for number in numbers]
        nothing = trial.nothing(m.held.claim)
        if all(s is not None and abs(s.value) <= nothing for s in slopes):
            return self._stays(m, moved, nothing * wanted)
        got = self._multiple(m, moved, numbers)
        return got is not None and abs(got - wanted) <= 1e-5 * abs(wanted)

    def _stays(self, m: Measured, moved: Sequence[np.ndarray], nothing: float) -> bool:
        """Whether a parameter moves by roundoff only, as one does whose gradient is nothing else."""
        return all(
            bool(np.all(np.abs(far) <= nothing + 64 * np.finfo(float).eps * np.abs(self.replay.base(node)).max()))
            for node, far in zip(m.held.tensor.nodes, moved, strict=True)
        )


def update_statements(blame: Blame, roots: Sequence[Root]) -> dict[Place, ast.stmt]:
    """The update statements of the roots' parameters that are suspect."""
    trial = UpdateTrial(blame.check, blame.replay.once(Steps))
    return {s.place: s.statement for root in roots for s in trial.suspects(root)}
