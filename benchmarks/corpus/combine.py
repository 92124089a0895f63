"""Programs with two, three and four independent faults at once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from programs import Program
from programs import measure as m

from .mutate import Variant, variants
from .oracle import decide, limited


@dataclass(frozen=True, slots=True)
class Part:
    """One fault of several: what it is, the line of its first wrong value, made in `target`, and its edits.

    The edits are (line, text before, text after); the text before stands on its line exactly once.
    """

    mistake: str
    line: int
    target: str
    edits: tuple[tuple[int, str, str], ...]


P = TypeVar("P", Part, Variant)


def combine(program: Program, parts: Sequence[Part | Variant]) -> str:
    """The source with several faults; raises ValueError where two touch one line."""
    lines = program.source.split("\n")
    touched: set[int] = set()
    for part in parts:
        for line, before, after in part.edits:
            if line in touched:
                raise ValueError(f"two edits of line {line}")
            touched.add(line)
            lines[line - 1] = lines[line - 1].replace(before, after)
    return "\n".join(lines)


def several(program: Program, count: int, how_many: int = 5, seed: int = 0) -> Iterator[tuple[str, tuple[Variant, ...]]]:
    """Sources with `count` faults, each an error on its own, in different lines and targets, that still run."""
    rng = random.Random(f"{program.name} {count} {seed}")
    pool = [v for v in variants(program) if len(v.edits) == 1]
    rng.shuffle(pool)
    wrong: list[Variant] = []
    for variant in pool:
        if len(wrong) >= 12 * count:
            break
        if decide(program, variant).severity == "error":
            wrong.append(variant)
    yield from _drawn(program, wrong, count, how_many, rng)


def several_twins(program: Program, count: int, how_many: int = 5, seed: int = 0) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """The same of the hand-made twins of a program; those that change its loss are left out."""
    rng = random.Random(f"{program.name} twins {count} {seed}")
    wrong = [
        Part(t.mistake, t.root_line, t.root, tuple((e.line, e.before, e.after) for e in t.edits))
        for t in program.twins
        if t.severity == "error" and t.loss == "loss"
    ]
    yield from _drawn(program, wrong, count, how_many, rng)


def _drawn(
    program: Program, wrong: Sequence[P], count: int, how_many: int, rng: random.Random
) -> Iterator[tuple[str, tuple[P, ...]]]:
    made: set[str] = set()
    for _ in range(20 * how_many):
        if len(made) == how_many or len(wrong) < count:
            return
        parts = tuple(sorted(rng.sample(wrong, count), key=lambda v: v.line))
        if len({p.line for p in parts}) < count or len({p.target for p in parts}) < count:
            continue
        try:
            source = combine(program, parts)
        except ValueError:
            continue
        if source not in made and _is_wrong(program, source) and _each_matters(program, source, parts):
            made.add(source)
            yield source, parts


def _is_wrong(program: Program, source: str) -> bool:
    try:
        with limited():
            return m.judge(program, source, steps=1).severity == "error"
    except m.Crash:
        return False


def _each_matters(program: Program, source: str, parts: Sequence[Part | Variant]) -> bool:
    """Whether each fault changes a gradient beside all the others: what another one hides cannot be seen."""
    try:
        with limited():
            whole = m.capture(program, source, steps=1)[0].grads
            for part in parts:
                rest = m.capture(program, combine(program, [p for p in parts if p is not part]), steps=1)[0].grads
                if all(_same(whole[name], rest.get(name)) for name in whole):
                    return False
    except m.Crash:
        return False
    return True


def _same(a: np.ndarray, b: np.ndarray | None) -> bool:
    if b is None or np.shape(a) != np.shape(b):
        return False
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12 * float(np.max(np.abs(a), initial=0.0)), equal_nan=True))
