"""All tensors of a model checked in rounds: a first look at each, more looks where in doubt, a search where wrong.

They share one budget. A round is the same whether its tensors are looked at one after another or side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..model import Model
from .blocks import Block, check_block, look_again, needs_search, search_block
from .probing import Start, start_beside

BUDGET = 60  # forward evaluations of a check, whatever it finds; a search for one element adds 2 log2 N
EACH = 15  # the same for each tensor, where there are more than four
# of a tensor's size: off a kink, further where that is not enough
_NUDGES = (1e-3, 4e-3, 1.6e-2, 6.4e-2, 0.09, 0.12, 0.15, 0.18)
_LEAST = 5  # a search with less than that finds nothing
_LARGEST = 1000  # evaluations of a look that a large difference is worth, in all its directions

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
            self._again(start, number)
        return self.blocks

    def search(self) -> list[Block]:
        """The wrong parts of those that no factor explains; they share what is left of the budget."""
        tensors = self.model.tensors
        suspects = [i for i, t in enumerate(tensors) if needs_search(self.blocks[i], t)]
        if suspects:
            largest = max(tensors[i].gradient.size for i in suspects)
            more = 2 * math.ceil(math.log2(largest)) if len(suspects) == 1 else 0
            share = (max(self._left(), 0) + more) // len(suspects)
            for i in suspects if share >= _LEAST else ():
                self.blocks[i] = search_block(self.model, tensors[i], (self.seed, i, 1), self.blocks[i], share)
        return self.blocks

    def _left(self) -> int:
        return max(BUDGET, EACH * len(self.blocks)) - self.evaluations

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
            if self.model.gradients is None or not self._worth(True):
                return
            start = start_beside(self.model, self.start, size, (self.seed, number))
            self.spent += 1
            if start is not None:
                yield start, number

    def _worth(self, beside: bool) -> list[int]:
        """The open tensors that a round can pay for. Those that kinks at the point may blur wait for one beside it."""
        waiting = [i for i, b in enumerate(self.blocks) if b.open and (beside or not self._blurred(b))]
        share = self._left() // len(waiting) if waiting else 0
        return [i for i in waiting if share >= self.blocks[i].price or self.blocks[i].suspect]

    def _blurred(self, block: Block) -> bool:
        return self.model.gradients is not None and (block.comparison.cause == "kink" or block.narrow)

    def _again(self, start: Start, number: int) -> None:
        chosen = self._worth(start.beside)
        share = max(self._left(), 0) // len(chosen) if chosen else 0
        tasks: list[Any] = []
        for i in chosen:
            budget = _LARGEST if self.blocks[i].suspect else share
            seed = (self.seed, i, 2, number)
            tasks.append((self.model, self.model.tensors[i], start, seed, self.blocks[i], budget))
        for i, block in zip(chosen, self.run(look_again, tasks), strict=True):
            self.blocks[i] = block
