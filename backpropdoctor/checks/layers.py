"""Layers with a loss: which step of the backward pass is at fault, and what is wrong only because of it.

A tensor whose gradient is wrong end to end is a root where its own step fails with the cotangent that it really
received, and inherited where that step is right. A factor that all intermediate gradients share and all parameters undo
is a convention.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from ..finding import Checked, Finding
from ..model import Model, Stack, Tensor
from ..numeric.estimate import Verdict
from ..numeric.ratio import Ratio
from .blocks import Block
from .callables import Measured, Outcome, measure, row
from .model_pictures import with_pictures
from .rounds import BUDGET
from .wording import blamed, is_scaled, listed, same_factor, undecided, uniform_of

Keyed = Mapping[Hashable, Block]


@dataclass(frozen=True, slots=True)
class _Fates:
    """The keys of the tensors that are roots, and those that inherit."""

    roots: frozenset[Hashable]
    inherited: frozenset[Hashable]


def check_stack(stack: Stack, *, seed: int = 0, executor: Executor | None = None) -> Outcome:
    """Check all layers end to end, and the wrong ones each alone."""
    whole = measure(stack.whole, seed=seed, executor=executor, search=False)
    if whole.blocks is None:
        return whole.outcome
    ends: dict[Hashable, Block] = {t.key: b for t, b in zip(stack.whole.tensors, whole.blocks, strict=True)}
    locals_ = _local(stack, ends, seed, executor, whole.outcome)
    scale = _convention(stack, ends)
    fates = _fates(stack, ends, locals_, scale)
    outcome = whole.outcome
    rows = [_row(tensor, ends[tensor.key], fates, scale) for tensor in stack.whole.tensors]
    rows, more = with_pictures(stack.whole, whole.blocks, rows, BUDGET - outcome.evaluations)
    outcome.checked += rows
    outcome.evaluations += more
    outcome.findings += _findings(stack, ends, locals_, fates)
    outcome.findings += undecided(stack.whole, whole.blocks)
    if scale is not None:
        outcome.notes.append(
            f"intermediate gradients are {scale.value:.6g} times the truth, and the parameters undo it: a convention"
        )
    return outcome


def _local(stack: Stack, ends: Keyed, seed: int, executor: Executor | None, outcome: Outcome) -> dict[Hashable, Block]:
    """Each step alone, for the tensors that are wrong end to end."""
    found: dict[Hashable, Block] = {}
    for model in stack.local:
        suspects = tuple(t for t in model.tensors if ends[t.key].comparison.verdict is Verdict.WRONG)
        if not suspects:
            continue
        alone: Measured = measure(replace(model, tensors=suspects), seed=seed + 1, executor=executor)
        outcome.evaluations += alone.outcome.evaluations
        if alone.blocks is not None:
            found |= {t.key: b for t, b in zip(suspects, alone.blocks, strict=True)}
    return found


def _convention(stack: Stack, ends: Keyed) -> Ratio | None:
    """The factor that the loss's gradient has, where a parameter is right all the same: the layers divide it out."""
    loss = stack.local[0].tensors
    block = ends[loss[0].key] if loss and loss[0].kind == "intermediate" else None
    if block is None or block.comparison.verdict is not Verdict.WRONG or not is_scaled(block):
        return None
    parameters = [t for t in stack.whole.tensors if t.kind == "parameter" and t.gradient.any()]
    if any(ends[t.key].comparison.verdict is Verdict.RIGHT for t in parameters):
        return block.ratio
    return None


def _fates(stack: Stack, ends: Keyed, locals_: Keyed, scale: Ratio | None) -> _Fates:
    roots: set[Hashable] = set()
    inherited: set[Hashable] = set()
    for tensor in stack.whole.tensors:
        block = ends[tensor.key]
        if block.comparison.verdict is not Verdict.WRONG:
            continue
        if tensor.kind != "parameter" and scale is not None and same_factor(block.ratio, scale) and is_scaled(block):
            continue  # the convention itself
        alone = locals_.get(tensor.key)
        own = alone is not None and alone.comparison.verdict is Verdict.WRONG
        if own and tensor.kind == "parameter" and scale is not None and _undoes(alone, scale):
            own = False
        (roots if own else inherited).add(tensor.key)
    return _Fates(frozenset(roots), frozenset(inherited))


def _undoes(block: Block | None, scale: Ratio) -> bool:
    """Whether a step divides by the factor that the intermediate gradients have."""
    if block is None or block.ratio is None or not block.ratio.consistent:
        return False
    return abs(block.ratio.value * scale.value - 1) <= 1e-6


def _row(tensor: Tensor, block: Block, fates: _Fates, scale: Ratio | None) -> Checked:
    found = row(tensor, block)
    if tensor.key in fates.inherited:
        return replace(found, verdict="inherited")
    if found.verdict == "wrong" and tensor.key not in fates.roots:
        return replace(found, verdict="right", reason="a factor that the parameters' gradients undo")
    return found


def _findings(stack: Stack, ends: Keyed, locals_: Keyed, fates: _Fates) -> list[Finding]:
    """One set of findings for each step with a root, in the order of the backward pass, with what inherits from it."""
    found: list[Finding] = []
    for i, model in enumerate(stack.local):
        mine = [t for t in model.tensors if t.key in fates.roots]
        if not mine:
            continue
        rest = stack.local[i + 1 :]
        passes_on = any(t.kind != "parameter" for t in mine)
        heirs = [t.name for m in rest for t in m.tensors if t.key in fates.inherited] if passes_on else []
        step = replace(model, tensors=tuple(mine))
        blocks = [locals_[t.key] for t in mine]
        if i == 0 and model.layer == "loss" and is_scaled(blocks[0]) and _all_share(rest, ends, fates, blocks[0].ratio):
            found.append(
                replace(
                    uniform_of(replace(stack.whole, span=model.span, layer="loss"), [(mine[0], blocks[0])]),
                    affects=tuple(heirs),
                    tensors=(mine[0].name,),
                )
            )
            continue
        made = blamed(step, blocks)
        found += [replace(f, affects=tuple(heirs)) if j == 0 and heirs else f for j, f in enumerate(made)]
    return found


def _all_share(rest: tuple[Model, ...], ends: Keyed, fates: _Fates, factor: Ratio | None) -> bool:
    """Whether every tensor that only inherits has the loss's factor; positive, so that the direction is right."""
    if factor is None or factor.value <= 0:
        return False
    heirs = [ends[t.key] for m in rest for t in m.tensors if t.key in fates.inherited]
    return bool(heirs) and any(same_factor(b.ratio, factor) for b in heirs)


__all__ = ["check_stack", "listed"]
