"""What is true of a program, measured without the tool: the gradient its update implies against that of an oracle.

The script runs with a probe put before the statement where its training step begins. The probe copies parameters, data and
gradients; the loss the oracle recomputes from them is differentiated along random directions, by the complex step where a
real difference agrees with it, else by central differences.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from . import Program

TOLERANCE = 1e-6  # of the gradient's size; the differences are good to about 1e-9
DIRECTIONS = 3


class Stop(BaseException):
    """Ends the script once enough steps were seen; a BaseException, so that no handler of the script's stops it."""


class Crash(Exception):
    """The script raised, or never took the steps."""


@dataclass(slots=True)
class Step:
    """One training step: parameters before it, the gradients it used, the data the loss was computed from."""

    params: dict[str, np.ndarray]
    data: dict[str, Any]
    grads: dict[str, np.ndarray]


@dataclass(slots=True)
class Judgement:
    """severity 'error', 'warning', 'none' or 'undecided'; the wrong parameters; ratio of each to the truth (None: not parallel)."""

    severity: str
    wrong: tuple[str, ...]
    ratios: dict[str, float | None] = field(default_factory=dict)
    worst: float = 0.0


def capture(program: Program, source: str, steps: int = 2) -> list[Step]:
    """Run the script for `steps` training steps and return them; raises Crash if it does not get there."""
    tree = ast.parse(source)
    body, place = _find(tree, program.anchor)
    probe = ast.parse("__probe__(globals(), locals())").body[0]
    for node in ast.walk(probe):
        if "lineno" in node._attributes:
            node.lineno = node.end_lineno = program.anchor
    body.insert(place, probe)
    seen: list[dict[str, Any]] = []

    def read(table: dict[str, str], scope: dict[str, Any]) -> dict[str, Any]:
        return {k: copy.deepcopy(eval(v, scope)) for k, v in table.items()}

    def visit(outer: dict[str, Any], inner: dict[str, Any]) -> None:
        scope = {**outer, **inner}
        if seen:
            last = seen[-1]
            last["end"] = read(program.end, scope)
            last["lr"] = float(eval(program.lr, scope))
            last["grads"] = read(program.grads, scope)
        seen.append({"params": read(program.params, scope), "start": {}})
        if len(seen) > steps:
            raise Stop
        seen[-1]["start"] = read(program.start, scope)

    space = {"__name__": "__main__", "__file__": str(program.path), "__probe__": visit}
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            exec(compile(tree, str(program.path), "exec"), space)
    except Stop:
        pass
    except Exception as error:
        raise Crash(f"{type(error).__name__}: {error}") from error
    if len(seen) <= steps:
        raise Crash(f"{len(seen)} visits of line {program.anchor}")
    return [_step(program, now, then) for now, then in zip(seen, seen[1:], strict=False)]


def own_loss(program: Program) -> float | None:
    """The loss of the first step as the script itself computes it, where the metadata say how to read it."""
    text = program.loss.get("value")
    if text is None:
        return None
    table = {program.loss["at"]: {"own": text}}
    probe = replace(program, params={}, grads={}, **{"start": {}, "end": {}, **table})
    return float(capture(probe, program.source, steps=1)[0].data["own"])


def _find(tree: ast.AST, line: int) -> tuple[list[ast.stmt], int]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                for i, statement in enumerate(block):
                    if isinstance(statement, ast.stmt) and statement.lineno == line:
                        return block, i
    raise ValueError(f"no statement begins on line {line}")


def _step(program: Program, now: dict[str, Any], then: dict[str, Any]) -> Step:
    before = {k: np.array(v, dtype=float) for k, v in now["params"].items()}
    after = {k: np.array(v, dtype=float) for k, v in then["params"].items()}
    if program.grads:
        grads = {k: np.array(v, dtype=float) for k, v in now["grads"].items()}
    else:
        grads = {k: before[k] - after[k] for k in before if before[k].shape == after[k].shape}
        grads = {k: g / now["lr"] if now["lr"] else g for k, g in grads.items()}
    return Step(before, {**now["start"], **now["end"]}, grads)


@lru_cache(maxsize=256)
def _oracle(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"np": np}
    exec(compile(text, "<oracle>", "exec"), space)
    return space


def oracle(program: Program, name: str = "loss") -> Callable[[dict[str, np.ndarray], dict[str, Any]], Any]:
    """The oracle's loss: a function of the parameters and the data."""
    found: Callable[[dict[str, np.ndarray], dict[str, Any]], Any] = _oracle(program.oracle)[name]
    return found


def directional(
    f: Callable[[dict[str, np.ndarray], dict[str, Any]], Any], step: Step, key: str, u: np.ndarray
) -> float:
    """The derivative of the oracle `f` along `u` in the parameter `key`: the complex step, cross-checked, or differences."""

    def at(t: complex) -> Any:
        return f({**step.params, key: step.params[key] + t * u}, step.data)

    def central(h: float) -> float:
        return float((at(h) - at(-h)) / (2 * h))

    with np.errstate(all="ignore"):
        slope = central(1e-6)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                exact = float(np.imag(at(1e-30j)) / 1e-30)
        except (TypeError, ValueError, np.exceptions.ComplexWarning):
            exact = float("nan")
        if abs(exact - slope) <= 1e-5 * (abs(exact) + abs(slope) + 1e-4):
            return exact
        return (4 * central(0.5e-4) - central(1e-4)) / 3


_truths: dict[Any, dict[str, list[tuple[np.ndarray, float]]]] = {}


def truth(program: Program, step: Step, loss: str = "loss") -> dict[str, list[tuple[np.ndarray, float]]]:
    """For each parameter the random directions and the true derivative along each; remembered by content."""
    key = (program.path, loss, _content(step.params), _content(step.data))
    if key not in _truths:
        rng = np.random.default_rng(12345)
        f = oracle(program, loss)
        found: dict[str, list[tuple[np.ndarray, float]]] = {}
        for name, value in step.params.items():
            us = [rng.standard_normal(value.shape) for _ in range(min(DIRECTIONS, max(1, value.size)))]
            found[name] = [(u, directional(f, step, name, u)) for u in us]
        _truths[key] = found
        if len(_truths) > 512:
            _truths.pop(next(iter(_truths)))
    return _truths[key]


def _content(tree: Any) -> Any:
    if isinstance(tree, dict):
        return tuple((k, _content(v)) for k, v in tree.items())
    if isinstance(tree, (list, tuple)):
        return tuple(_content(v) for v in tree)
    if isinstance(tree, np.ndarray):
        return (tree.shape, tree.tobytes())
    return repr(tree)


def judge_step(program: Program, step: Step, loss: str = "loss") -> Judgement:
    """Compare the gradients of one step with the oracle's."""
    ratios: dict[str, float | None] = {}
    errors: dict[str, float] = {}
    for name, pairs in truth(program, step, loss).items():
        size = max(abs(d) for _, d in pairs)
        grad = step.grads.get(name)
        if grad is None or grad.shape != step.params[name].shape or not np.all(np.isfinite(grad)):
            ratios[name], errors[name] = None, float("inf")
            continue
        got = np.array([np.sum(grad * u) for u, _ in pairs])
        true = np.array([d for _, d in pairs])
        if not np.all(np.isfinite(true)):
            return Judgement("undecided", ())
        if size < 1e-9:  # no gradient here in this step: a ratio of 0 says so
            errors[name] = 0.0 if np.max(np.abs(got)) < 1e-9 else float("inf")
            ratios[name] = None if errors[name] else 0.0
            continue
        errors[name] = float(np.max(np.abs(got - true))) / size
        k = float(got @ true / (true @ true))
        ratios[name] = k if float(np.max(np.abs(got - k * true))) <= TOLERANCE * size * max(1, abs(k)) else None
    return _verdict(program, ratios, errors)


def _verdict(program: Program, ratios: dict[str, float | None], errors: dict[str, float]) -> Judgement:
    wrong = tuple(n for n, e in errors.items() if e > TOLERANCE)
    worst = max(errors.values())
    if not wrong:
        return Judgement("none", (), ratios, worst)
    common = [r for n, r in ratios.items() if r != 0.0 or n in wrong]
    first = common[0] if common else None
    if first is not None and first > 0 and all(r is not None and abs(r - first) <= 1e-5 * first for r in common):
        known = program.loss.get("scale_known", True)
        return Judgement("warning" if known else "none", wrong if known else (), ratios, worst)
    if all(errors[n] < 1e-4 for n in wrong):
        return Judgement("undecided", wrong, ratios, worst)
    return Judgement("error", wrong, ratios, worst)


_ORDER = ("none", "undecided", "warning", "error")


def judge(program: Program, source: str, steps: int = 2, loss: str = "loss") -> Judgement:
    """The worst of the steps' judgements, with what is wrong in any of them; raises Crash.

    A common factor that changes from one step to the next is no factor of the learning rate, but an error.
    """
    found = [judge_step(program, step, loss) for step in capture(program, source, steps)]
    result = max(found, key=lambda j: _ORDER.index(j.severity))
    result.wrong = tuple(n for n in program.params if any(n in j.wrong for j in found))
    scales = [r for j in found for r in j.ratios.values() if r not in (None, 0.0)]
    if result.severity == "warning" and any(abs(r - scales[0]) > 1e-5 * abs(r) for r in scales):
        result.severity = "error"
    return result
