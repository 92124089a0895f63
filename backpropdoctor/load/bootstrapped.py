"""Targets that the output itself takes part in: data plus a multiple of a later output, as in temporal-difference learning.

Such a target is meant as data: the gradient is taken of the other side of the difference only (a semi-gradient: Sutton &
Barto, Reinforcement Learning, 2nd ed., section 9.3). What is held still is the terms of a difference that stand on the side of
its data, and what the logarithm of a probability is multiplied by (section 13.4: the return less a baseline). So is a multiple
of a gradient that is added to its parameter before the loss is taken (Foret et al., Sharpness-Aware Minimization, 2021). That
it is meant so is for the gradients to say: more of them have to fit the loss with these values held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from ..tape.adjoint import Claim, Tensor
from ..tape.algebra import ADD, DIV, MUL, NEG, SUB, Term, is_any
from ..tape.buffers import Augment
from ..tape.replay import Replay
from ..tape.tape import Node, Ref
from ..tape.training import LossFound, Training

_MOST = 1000  # copies, choices and writes that are looked through
_MOST_TERMS = 32  # terms of a difference that has a target in it
_MOST_LOOKS = 200
_SUM = ADD | SUB
_HANDED_ON = {
    *("array", "asarray", "stack", "vstack", "hstack", "concatenate", "where", "getitem", "copy", "astype", "float"),
    *("reshape", "ravel", "flatten", "squeeze", "expand_dims", "atleast_1d", "atleast_2d"),
}


def with_targets_held(training: Training, loss: LossFound, others: Sequence[LossFound] = ()) -> LossFound | None:
    """The loss with its bootstrapped targets held still, and steps along the gradients of `others`; None where it has none."""
    replay = training.replay
    values = Bootstrapped(replay, training.origins)
    held: dict[int, None] = {}
    for i in sorted(loss.nodes & values.live):
        node = replay.tape.nodes[i]
        found = values.held(i) if is_any(node.op, _SUM) else values.advantages(node)
        if not found and others and is_any(node.op, _SUM):
            found = [t for p, t in values.steps(node) if any(_is_gradient(training, t, p, o) for o in others if o is not loss)]
        held.update(dict.fromkeys(replay.canonical[t] for t in found))
    if not held:
        return None
    sites = (replay.tape.nodes[i].site for i in held)
    spans = dict.fromkeys(f"`{s.span.text}` (line {s.span.line})" for s in sites if s is not None)
    return replace(
        loss,
        objective=loss.objective.holding(held),
        held_still=tuple(spans) or ("its target",),
    )


class Bootstrapped:
    """The values of a step that its parameters, the canonical `starts`, move: these are `live`."""

    def __init__(self, replay: Replay, starts: set[int]) -> None:
        self.replay = replay
        self.starts = starts
        self.live = replay.downstream(starts)
        self._looked_at = 0  # terms, to see what they are functions of

    def is_target(self, root: int, side: int) -> bool:
        """Whether a side of a difference is a bootstrapped target."""
        held = self.held(root)
        return bool(held) and all(i is None or i in held for i, _ in self._terms(side))

    def held(self, root: int) -> list[int]:
        """The live terms of a sum that stand on the side of its data, where other live ones stand against them; else none.

        Each is a multiple of something, or has data in it: of `a - b - y` nobody can say which of the two is meant as data.
        What is a function of the other side alone, as an activation is, is no target of it.
        """
        terms = list(islice(self._terms(root), _MOST_TERMS + 1))
        if len(terms) > _MOST_TERMS:  # a sum over a whole sequence
            return []
        moving = [(i, sign) for i, sign in terms if i is not None]
        if len(moving) < 2:
            return []
        mixed = {i for i, _ in moving if self._holds_data(i)}
        data = {sign for i, sign in terms if i is None or i in mixed}
        held = [i for i, sign in moving if sign in data]
        meant = all(i in mixed or is_any(self.replay.tape.nodes[i].op, MUL) for i in held)
        others = {self.replay.canonical[i] for i, sign in moving if sign not in data}
        meant = meant and not any(self._is_function_of(i, others) for i in held)
        return held if meant and len(data) == 1 and len(held) < len(moving) else []

    def _is_function_of(self, index: int, others: set[int]) -> bool:
        """Whether a value is made of some others and of numbers that stand in the program, and of nothing else."""
        self._looked_at += 1
        if self._looked_at > _MOST_LOOKS:
            return True
        above = self.replay.upstream([index], barrier=others) - others
        return all(self.replay.tape.nodes[i].kind in ("op", "view") for i in above) and not above & self.starts

    def _terms(self, index: int) -> Iterator[tuple[int | None, int]]:
        """A live value as terms with their signs; None is data."""
        stack: list[tuple[int | None, int]] = [(index, 1)]
        while stack:
            i, sign = stack.pop()
            node = self.replay.tape.nodes[i] if i is not None else None
            taken_apart = (
                node is not None and is_any(node.op, _SUM | NEG) and self.replay.canonical[node.index] not in self.starts
            )
            if node is not None and is_any(node.op, ADD) and not all(self._is_live(j) for j in node.inputs()):
                taken_apart = False  # data plus something: a target
            if node is None or not taken_apart:
                yield i, sign
                continue
            for k, argument in enumerate(node.args):
                own = -sign if (k and is_any(node.op, SUB)) or is_any(node.op, NEG) else sign
                live = isinstance(argument, Ref) and self._is_live(argument.index)
                stack.append((argument.index if live else None, own))

    def steps(self, node: Node) -> list[tuple[int, int]]:
        """A parameter, and what of its size is added to it."""
        refs = [a.index for a in node.args if isinstance(a, Ref) and self._is_live(a.index)]
        if len(refs) != 2 or len(node.args) != 2:
            return []
        pairs = [(p, t) for p, t in (refs, refs[::-1]) if self.replay.canonical[p] in self.starts]
        return [
            (p, t) for p, t in pairs if np.shape(self.replay.base(p)) == np.shape(self.replay.base(t)) == np.shape(node.value)
        ]

    def advantages(self, node: Node) -> list[int]:
        """The live factor of a logarithm that holds data: the advantage of a policy gradient, a return less a baseline."""
        factors = list(node.inputs()) if is_any(node.op, MUL) else []
        if len(factors) != 2 or not all(self._is_live(i) for i in factors):
            return []
        a, b = factors
        return [i for i, other in ((a, b), (b, a)) if self._is_log(other) and not self._is_log(i) and self._holds_data(i)]

    def _is_log(self, index: int) -> bool:
        """Whether a value is a logarithm, or its negative, handed on as it is."""
        node: Node | None = self.replay.tape.nodes[index]
        while node is not None and (is_any(node.op, NEG) or _hands_on(node)):
            node = next((self.replay.tape.nodes[i] for i in node.inputs() if self._is_live(i)), None)
        return node is not None and node.name.startswith("log")

    def _holds_data(self, index: int) -> bool:
        """Whether a live value is a sum of data and something live, handed on as it is."""
        seen, stack = {index}, [index] if self.replay.canonical[index] not in self.starts else []
        while stack and len(seen) < _MOST:
            node = self.replay.tape.nodes[stack.pop()]
            sums = is_any(node.op, _SUM) and len(node.args) == 2
            others = [i for i in node.inputs() if self._is_live(i)]
            if (sums and len(others) < 2) or self._adds_to_data(node):
                return True
            if sums or is_any(node.op, DIV) or _hands_on(node):
                new = [i for i in others if i not in seen]
                seen.update(new)
                stack += [i for i in new if self.replay.canonical[i] not in self.starts]
        return False

    def _adds_to_data(self, node: Node) -> bool:
        """Whether a write adds something live to an array of data; one of zeros only collects."""
        if node.kind != "write" or not isinstance(node.op, Augment) or not is_any(node.op.op, _SUM):
            return False
        before = node.args[0].index
        return not self._is_live(before) and bool(np.any(self.replay.base(before)))

    def _is_live(self, index: int) -> bool:
        return self.replay.canonical[index] in self.live


def _is_gradient(training: Training, value: int, parameter: int, loss: LossFound) -> bool:
    """Whether a value is a multiple of the gradient of a loss by a parameter."""
    claim = Claim(Tensor("", (training.replay.canonical[parameter],)), ((Term(1.0, value),),))
    ratio = training.adjoints.ratio(claim, loss.objective, crude=True)
    return ratio is not None and bool(ratio.value) and not ratio.zero


def _hands_on(node: Node) -> bool:
    return node.kind in ("view", "write") or node.name in _HANDED_ON
