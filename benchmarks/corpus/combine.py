"""Programs with two, three and four independent faults at once."""

from __future__ import annotations

import random
from collections.abc import Iterator

from programs import Program
from programs import measure as m

from .mutate import Variant, variants
from .oracle import decide


def combine(program: Program, parts: tuple[Variant, ...]) -> str:
    """The source with several variants' edits; raises ValueError where two touch one line."""
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
    made = 0
    for _ in range(20 * how_many):
        if made == how_many or len(wrong) < count:
            return
        parts = tuple(sorted(rng.sample(wrong, count), key=lambda v: v.line))
        if len({p.line for p in parts}) < count or len({p.target for p in parts}) < count:
            continue
        source = combine(program, parts)
        try:
            if m.judge(program, source, steps=1).severity != "error":
                continue
        except m.Crash:
            continue
        made += 1
        yield source, parts
