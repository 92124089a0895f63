"""The gradient check of a model: every tensor's verdict, and the findings that explain the wrong ones."""

from __future__ import annotations

import concurrent.futures
import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..finding import Checked, Finding, make_finding
from ..model import Model, Tensor
from ..numeric.determinism import compare_results, repeatable
from ..numeric.estimate import Verdict
from .blocks import Block
from .model_pictures import with_pictures
from .probing import Start
from .rounds import BUDGET, Rounds, Run
from .wording import blamed, number, same_factor, undecided, where

_SAME = 1e-11  # relative: threads may add in another order; that is roundoff and no random forward pass


@dataclass(slots=True)
class Outcome:
    """What a check of one model found."""

    findings: list[Finding] = field(default_factory=list)
    checked: list[Checked] = field(default_factory=list)
    evaluations: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Measured:
    """The blocks of a model, None where its scalar or its gradient is not the same twice; the outcome so far."""

    outcome: Outcome
    blocks: list[Block] | None = None


def check_model(model: Model, *, seed: int = 0, executor: concurrent.futures.Executor | None = None, spent: int = 0) -> Outcome:
    """Check every tensor of a model along random directions drawn from `seed`.

    `executor`, any `concurrent.futures.Executor`, checks the tensors beside each other; the outcome is the same
    without. `spent` evaluations were spent before, of those that a check may cost.
    """
    found = measure(model, seed=seed, executor=executor, spent=spent)
    if found.blocks is not None:
        rows = [row(t, b) for t, b in zip(model.tensors, found.blocks, strict=True)]
        rows, more = with_pictures(model, found.blocks, rows, BUDGET - spent - found.outcome.evaluations)
        found.outcome.checked += rows
        found.outcome.evaluations += more
        found.outcome.findings += blamed(model, found.blocks)
        found.outcome.findings += undecided(model, found.blocks)
    return found.outcome


def measure(
    model: Model,
    *,
    seed: int = 0,
    executor: concurrent.futures.Executor | None = None,
    search: bool = True,
    spent: int = 0,
) -> Measured:
    """The measurements of a check, before anything is said of them; with `search` also the wrong parts of tensors."""
    outcome = Outcome()
    known = model.base is not None
    repeat = compare_results(model.base, model.objective({})) if known else repeatable(lambda: model.objective({}))
    outcome.evaluations += 1 if known else 2
    if not repeat.same and not repeat.relative <= _SAME:
        reason = f"the forward pass is random: two calls at the same values differ by {repeat.spread:.2g}"
        outcome.findings.append(_random(model, repeat.spread))
        outcome.checked += [row(t, None, reason) for t in model.tensors]
        return Measured(outcome)
    if _unsteady(model, outcome):
        return Measured(outcome)
    start = _lift(model, float(np.real(repeat.first if model.base is None else model.base)), outcome)
    rounds = Rounds(model, start, seed, outcome.evaluations + spent, _runner(executor, outcome))
    blocks = rounds.check()
    blocks = rounds.search() if search else blocks
    outcome.evaluations = rounds.evaluations - spent
    return Measured(outcome, _by_convention(model, blocks, outcome))


def _random(model: Model, spread: float) -> Finding:
    name = model.loss.name if model.loss else model.target
    return make_finding(
        "BD901",
        f"`{name}` is random: two calls at the same values differ by {spread:.2g}",
        measured=f"spread {spread:.3g} over two calls",
        help="draw the random numbers once, outside, or seed the generator at the start of the function",
        evidence={"spread": spread},
    )


def _unsteady(model: Model, outcome: Outcome) -> bool:
    """Whether the gradient function gives another gradient each time; one that adds up is said and checked."""
    if model.gradients is None:
        return False
    try:
        again = model.gradients({})
    except Exception as error:
        outcome.findings.append(make_finding("BD413", f"{model.source} fails at the second call: {error}", span=model.span))
        return False
    for tensor in model.tensors:
        if tensor.key not in again:
            continue
        first, second = tensor.gradient, np.asarray(again[tensor.key])
        repeat = compare_results(first, second)
        if repeat.same or repeat.relative <= 1e3 * _eps(first):
            continue
        sums = second.shape == first.shape and np.allclose(second, 2 * first.astype(float), rtol=1e3 * _eps(first), atol=0)
        words = "twice the first: it adds up and is not reset" if sums else f"they differ by {repeat.spread:.2g}"
        outcome.findings.append(
            make_finding(
                "BD413",
                f"{model.source} gives `{tensor.origin}` another value at the second call ({words})",
                span=model.span,
                tensors=(tensor.name,),
                help="compute it anew in every call, from zero"
                if sums
                else ("draw random numbers once, outside, or seed the generator"),
                evidence={"spread": repeat.spread},
            )
        )
        if not sums:
            reason = f"the gradient is random: two calls differ by {repeat.spread:.2g}"
            outcome.checked += [row(t, None, reason) for t in model.tensors]
            return True
        return False
    return False


def _eps(array: np.ndarray) -> float:
    return float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 2.0**-52


def _lift(model: Model, base: float, outcome: Outcome) -> Start:
    """The starting point: in float64 where the code computes in less and takes more."""
    narrow: dict[Hashable, np.ndarray] = {
        t.key: t.value.astype(np.float64) for t in model.tensors if t.value.dtype.itemsize < 8
    }
    if not narrow:
        return Start({}, base)
    outcome.evaluations += 1
    try:
        lifted = complex(model.objective(narrow)).real
    except Exception:
        return Start({}, base)
    if not np.isfinite(lifted) or abs(lifted - base) > 0.05 * max(abs(base), abs(lifted)):
        return Start({}, base)
    return Start(narrow, lifted)


def _runner(executor: concurrent.futures.Executor | None, outcome: Outcome) -> Run:
    """One after another, or side by side where the functions can be sent there."""

    def run(function: Callable[..., Block], tasks: Sequence[tuple[Any, ...]]) -> list[Block]:
        nonlocal executor
        if executor is None or len(tasks) < 2:
            return [function(*task) for task in tasks]
        if not _can_send(executor, tasks[0], outcome):
            executor = None
            return run(function, tasks)
        return list(executor.map(function, *zip(*tasks, strict=True)))

    return run


def _by_convention(model: Model, blocks: list[Block], outcome: Outcome) -> list[Block]:
    """Gradients read off updates: an update that adds what the backward pass calls its gradient is a way to write it.

    All of them are -1 times the truth then (or one unknown factor, where the learning rate is unknown).
    """
    mine = [i for i, t in enumerate(model.tensors) if t.from_update]
    wrong = [i for i in mine if blocks[i].comparison.verdict is Verdict.WRONG]
    if not wrong or len(wrong) != len([i for i in mine if model.tensors[i].gradient.any()]):
        return blocks
    factors = [blocks[i].ratio for i in wrong]
    first = factors[0]
    if first is None or not all(f is not None and f.consistent and same_factor(first, f) for f in factors):
        return blocks
    if not model.free_scale and abs(first.value + 1) > first.error + 1e-9:
        return blocks
    words = f"{number(first.value, first.error)} times the gradient" if model.free_scale else "the negative gradient"
    outcome.notes.append(f"the update in {model.source} adds {words}: taken for a convention")
    return [
        replace(b, comparison=replace(b.comparison, verdict=Verdict.RIGHT), ratio=None) if i in wrong else b
        for i, b in enumerate(blocks)
    ]


def _can_send(executor: concurrent.futures.Executor, task: Any, outcome: Outcome) -> bool:
    if isinstance(executor, concurrent.futures.ThreadPoolExecutor):
        return True
    try:
        pickle.dumps(task)
    except Exception as error:
        outcome.notes.append(f"the functions cannot be sent to another process ({error}): all was checked in this one")
        return False
    return True


def row(tensor: Tensor, block: Block | None, reason: str = "") -> Checked:
    """The table row of a tensor; `block` is None where nothing was measured, for that reason."""
    if block is None:
        return Checked(
            tensor=tensor.name,
            verdict="undecided",
            line=tensor.line,
            shape=tensor.value.shape,
            kind=tensor.kind,
            reason=reason,
            evidence={"gradient": tensor.origin},
        )
    c = block.comparison
    wrong = c.verdict is Verdict.WRONG
    ratio = block.ratio.value if wrong and block.ratio and block.ratio.consistent else None
    evidence = {"gradient": tensor.origin, "gradient error": c.analytic_error}
    if block.nudged:
        evidence["point"] = "a slightly moved one, beside a kink"
    return Checked(
        tensor=tensor.name,
        verdict=c.verdict.value,
        line=tensor.line,
        analytic=c.analytic,
        numeric=c.numeric.value,
        error=c.error,
        ratio=1.0 if c.verdict is Verdict.RIGHT and c.analytic else ratio,
        method=c.numeric.method,
        evaluations=block.evaluations,
        shape=tensor.value.shape,
        kind=tensor.kind,
        where=where(block),
        reason=c.reason,
        missed=block.missed,
        evidence=evidence,
    )
