"""Fault injection: thousands of faulty programs made from the healthy ones of `tests/programs`, each shown to be wrong.

`faulty()` yields (program, variant, decision); `python -m benchmarks.corpus` prints the counts. Nothing here knows the
checker: the mutations are made on the syntax tree, and finite differences of an independent loss decide.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from programs import Program, programs  # noqa: E402

from .combine import combine, several, several_twins  # noqa: E402
from .forward import decide_forward, forward_variants  # noqa: E402
from .mutate import Variant, variants  # noqa: E402
from .oracle import Decision, decide  # noqa: E402

__all__ = [
    "Decision",
    "Program",
    "Variant",
    "combine",
    "decide",
    "decide_forward",
    "decided",
    "faulty",
    "forward_variants",
    "programs",
    "several",
    "several_twins",
    "variants",
]


def faulty(*folders: str, each: int | None = None) -> Iterator[tuple[Program, Variant, Decision]]:
    """The faulty programs of 'architectures' and 'styles': what differences show to be wrong, errors and warnings.

    `each` limits how many of one mistake are taken from one program, spread evenly over its variants.
    """
    for folder in folders or ("architectures", "styles"):
        for program in programs(folder):
            for variant, decision in decided(program, folder, each):
                if decision.severity in ("error", "warning"):
                    yield program, variant, decision


def decided(program: Program, folder: str, each: int | None = None) -> Iterator[tuple[Variant, Decision]]:
    """All variants of one program with what the oracle says of them; forward faults for architectures only.

    What turns out to be one common factor of all gradients is called uniform-scale, and nothing else is.
    """
    for variant in spread(variants(program), each):
        yield _named(variant, decide(program, variant))
    if folder == "architectures":
        for variant in spread(forward_variants(program), each):
            yield _named(variant, decide_forward(program, variant))


def _named(variant: Variant, decision: Decision) -> tuple[Variant, Decision]:
    if decision.severity == "warning":
        return replace(variant, mistake="uniform-scale"), decision
    if decision.severity == "error" and variant.mistake == "uniform-scale":
        return replace(variant, mistake="loss-mismatch"), decision
    return variant, decision


def spread(found: list[Variant], each: int | None) -> list[Variant]:
    """At most `each` variants of every mistake, evenly spread."""
    if each is None:
        return found
    groups: dict[str, list[Variant]] = {}
    for variant in found:
        groups.setdefault(variant.mistake, []).append(variant)
    return [g[i * len(g) // min(each, len(g))] for g in groups.values() for i in range(min(each, len(g)))]
