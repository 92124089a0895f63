"""A module with declared cases, or with functions and layer classes whose names tell, beside example inputs.

The source is read before anything runs: a program that does something when it is imported is a script, and is left to
the script loader.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import one_line
from ..finding import Finding, make_finding
from ..source import Span
from .calling import UserCodeError, call, signature_of, span_of_error
from .cases import name_of_case
from .outline import Outline, Pair

EXAMPLES = "example_inputs"


@dataclass(slots=True)
class Job:
    """One thing to check: the arguments of `api.check`, made when it is its turn, and its name."""

    name: str
    make: Callable[[], Any]


def import_file(path: str) -> ModuleType:
    """Import a file under its own name; raises UserCodeError with the exception it raised."""
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    known, folder = sys.modules.get(name), str(Path(path).resolve().parent)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserCodeError(Path(path).name, error, span_of_error(error)) from error
    finally:
        sys.path.remove(folder)
        if known is not None:
            sys.modules[name] = known
    return module


def jobs_of(module: ModuleType, outline: Outline) -> tuple[list[Job], list[Finding]]:
    """What to check in an imported module, and what is recognised but lacks example inputs."""
    jobs, findings = [], []
    for value in vars(module).values():
        name = name_of_case(value)
        if name is not None:
            jobs.append(Job(name, _caller(value, name)))
    if jobs:
        return jobs, []
    examples = getattr(module, EXAMPLES, None)
    for pair in outline.pairs:
        made = _job(module, pair, examples, sum(p.kind != "gradient" for p in outline.pairs) == 1)
        if isinstance(made, Job):
            jobs.append(made)
        else:
            findings.append(_lacks(pair, made))
    return jobs, findings


def _caller(function: Any, name: str) -> Callable[[], Any]:
    return lambda: call(function, name)


def _job(module: ModuleType, pair: Pair, examples: Any, alone: bool) -> Job | list[str]:
    """The job, or the names of the inputs that are missing."""
    if pair.kind == "class":
        return _class_job(module, pair, examples, alone)
    forward, backward = getattr(module, pair.forward), getattr(module, pair.backward)
    if pair.kind == "gradient":
        held = next((getattr(module, n) for n in ("params", "parameters", "theta", "weights", "w") if hasattr(module, n)), None)
        return ["params"] if held is None else Job(pair.name, lambda: (forward, backward, held))
    inputs = _inputs(module, forward, pair, examples, alone)
    return inputs if isinstance(inputs, list) else Job(pair.name, lambda: (forward, backward, *inputs))


def _inputs(module: ModuleType, forward: Any, pair: Pair, examples: Any, alone: bool) -> tuple[Any, ...] | list[str]:
    """Example inputs: from `example_inputs`, else the module's variables with the names of the arguments."""
    if isinstance(examples, dict):
        for key in (pair.name, pair.forward):
            if key in examples:
                given = examples[key]
                return given if isinstance(given, tuple) else (given,)
    elif examples is not None and alone:
        return examples if isinstance(examples, tuple) else (examples,)
    signature = signature_of(forward)
    wanted = signature.names[: signature.required]
    missing = [n for n in wanted if not hasattr(module, n)]
    return missing if missing or not wanted else tuple(getattr(module, n) for n in wanted)


def _class_job(module: ModuleType, pair: Pair, examples: Any, alone: bool) -> Job | list[str]:
    cls = getattr(module, pair.name)
    instances = {n: v for n, v in vars(module).items() if type(v) is cls}
    if instances:
        thing: Any = next(iter(instances.values()))
    elif signature_of(cls).known and signature_of(cls).required == 0:
        try:
            thing = call(cls, pair.name)
        except UserCodeError:
            return [f"{pair.name.lower()} = {pair.name}(…)"]
    else:
        return [f"{pair.name.lower()} = {pair.name}(…)"]
    forward = getattr(thing, pair.forward)
    inputs = _inputs(module, forward, pair, examples, alone)
    return inputs if isinstance(inputs, list) else Job(pair.name, lambda: (forward, getattr(thing, pair.backward), *inputs))


def _lacks(pair: Pair, missing: list[str]) -> Finding:
    listed = ", ".join(f"`{m}`" for m in missing) or "example inputs"
    what = f"`{pair.name}`" if pair.kind == "class" else f"`{pair.forward}` and `{pair.backward}`"
    return make_finding(
        "BD002",
        f"{what} cannot be checked without {listed}",
        span=pair.span,
        layer=pair.name,
        help=f"add {listed} to the module, or `{EXAMPLES} = {{'{pair.name}': (…)}}`, or a function with `@bd.case`",
    )


def nothing_in(outline: Outline) -> Finding:
    """The finding for a module in which nothing is recognised."""
    return make_finding(
        "BD001",
        f"`{Path(outline.path).name}` holds nothing to check: no training, no case, no forward and backward pass",
        span=Span(outline.path, 1, 1, 1, 1),
        help="add a function with `@bd.case` that returns `bd.check_layer(forward, backward, x)`, or name them "
        "`…_forward` and `…_backward` and give the module example inputs of the arguments' names",
    )


def raised_at_import(error: UserCodeError) -> Finding:
    """The finding for a module that raises when it is imported."""
    return make_finding(
        "BD004",
        f"`{error.function}` raised {one_line(error.error)} when it was imported",
        span=error.span,
        label="raised here",
    )
