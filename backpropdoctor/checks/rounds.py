"""All tensors of a model checked in rounds: a first look at each, more looks where in doubt, a search where wrong.

They share one budget. A round is the same whether its tensors are looked at one after another or side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..model import Model
from ..numeric.estimate import Verdict
from .blocks import Block, check_block, look_again, needs_search, search_block
from .glances import glance_at, manner
from .probing import Start, start_beside

BUDGET = 60  # forward evaluations of a check of four tensors, whatever it finds; a search for one element adds 2 log2 N
EACH = 20  # for each further tensor
# of a tensor's size: off a kink, further where that is not enough
_NUDGES = (1e-3, 4e-3, 1.6e-2, 6.4e-2, 0.09, 0.12, 0.15, 0.18)
_LEAST = 5  # a search with less than that finds nothing

Run = Callable[..., list[Block]]  # (function, tasks) -> its results


class Rounds:
    """The blocks of one model, and what they may still cost; `spent` is what was spent before the first of them."""

    def __init__(self, model: Model, start: Start, seed: int, spent: int, run: Run) -> None:
        self.model, self.start, self.seed, self.run = model, start, seed, run
        self.spent = spent
        self.blocks: list[Block] = []

    @property
    def evaluations(self) -> int:
        """All that was spent so far."""
        return self.spent + sum(b.evaluations for b in self.blocks)

    def check(self) -> list[Block]:
        """A verdict for every tensor, undecided ones looked at again."""
        self._first()
        for start, number in self._starts():
            (self._glance if start.beside else self._again)(start, number)
        return self.blocks

    def search(self) -> list[Block]:
        """The wrong parts of those that no factor explains; they share what is left of the budget."""
        tensors = self.model.tensors
        suspects = [i for i, t in enumerate(tensors) if needs_search(self.blocks[i], t)]
        if suspects:
            largest = max(tensors[i].gradient.size for i in suspects)
            more = 2 * math.ceil(math.log2(largest)) if len(suspects) == 1 else 0
            share = (max(self._left() - 1, 0) + more) // len(suspects)
            for i in suspects if share >= _LEAST else ():
                self.blocks[i] = search_block(self.model, tensors[i], (self.seed, i, 1), self.blocks[i], share)
        return self.blocks

    def _left(self) -> int:
        return BUDGET + EACH * max(len(self.blocks) - 4, 0) - self.evaluations

    def _first(self) -> None:
        """The first tensor alone, for what it teaches of the method; the others side by side."""
        tasks = [(self.model, t, self.start, (self.seed, i)) for i, t in enumerate(self.model.tensors)]
        if not tasks:
            return
        first = check_block(*tasks[0])
        self.start = replace(self.start, noise=first.noise, allow_complex=first.allow_complex)
        rest = [(m, t, self.start, s) for m, t, _, s in tasks[1:]]
        self.blocks = [first, *self.run(check_block, rest)]
        for block in self.blocks:
            if self.start.noise is None and block.noise is not None:
                self.start = replace(self.start, noise=block.noise)

    def _starts(self) -> Iterator[tuple[Start, int]]:
        """The point itself, then points further and further beside it, as long as tensors are open."""
        yield self.start, 0
        for number, size in enumerate(_NUDGES, 1):
            waiting = self._open()
            if self.model.gradients is None or not waiting or self._left() < 1 + min(map(self._line, waiting)):
                return
            start = start_beside(self.model, self.start, size, (self.seed, number))
            self.spent += 1
            if start is not None:
                yield start, number

    def _open(self) -> list[int]:
        """The open tensors: those without a verdict, and when there are none, those whose bar could be sharper."""
        waiting = [i for i, b in enumerate(self.blocks) if b.open]
        return [i for i in waiting if self.blocks[i].comparison.verdict is not Verdict.RIGHT] or waiting

    def _worth(self) -> list[int]:
        """The open tensors that a round can pay for. Those that kinks at the point may blur wait for one beside it."""
        waiting = [i for i in self._open() if not self._blurred(self.blocks[i])]
        share = self._left() // len(waiting) if waiting else 0
        return [i for i in waiting if share >= self.blocks[i].price]

    def _blurred(self, block: Block) -> bool:
        return self.model.gradients is not None and (block.comparison.cause == "kink" or block.narrow)

    def _line(self, i: int) -> int:
        """The evaluations of one line for this tensor."""
        return manner(self.start.noise, self.blocks[i]).price

    def _glance(self, start: Start, number: int) -> None:
        """A few lines for each open tensor, beside the user's point; the next point gets what these leave."""
        chosen = self._open()
        chosen = chosen[: max(self._left(), 0) // min(map(self._line, chosen))]
        share = max(self._left(), 0) // max(len(chosen), 1)
        tasks = [
            (self.model, self.model.tensors[i], start, (self.seed, i, 3, number), self.blocks[i], min(share, 2 * self._line(i)))
            for i in chosen
        ]
        for i, block in zip(chosen, self.run(glance_at, tasks), strict=True):
            self.blocks[i] = block

    def _again(self, start: Start, number: int) -> None:
        """Further directions through the user's point."""
        chosen = self._worth()
        share = max(self._left(), 0) // len(chosen) if chosen else 0
        tasks: list[Any] = []
        for i in chosen:
            seed = (self.seed, i, 2, number)
            tasks.append((self.model, self.model.tensors[i], start, seed, self.blocks[i], share))
        for i, block in zip(chosen, self.run(look_again, tasks), strict=True):
            self.blocks[i] = block
