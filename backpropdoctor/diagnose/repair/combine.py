"""All edits together: the edited program runs in memory, and its gradients are examined again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...edits import EditError, apply_fixes, read_source
from ...finding import Fix
from ...load.script import StepPolicy
from ...tape.tape import Tape
from .rerun import run_again


@dataclass(frozen=True, slots=True)
class Combined:
    """What the edited program showed: the gradients that are right, those that are not, or why it could not be told."""

    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    problem: str = ""
    scaled: float = 1.0
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    edits: int = 1

    @property
    def verified(self) -> bool:
        """Whether all gradients are right."""
        return bool(self.right) and not (self.wrong or self.undecided or self.problem)

    @property
    def proof(self) -> str:
        """That in words."""
        if self.problem:
            return f"with the edits the program could not be checked: {self.problem}"
        count = len(self.right)
        gradients = "gradient" if count == 1 else "gradients"
        after = "after the edit" if self.edits <= 1 else "after the edits"
        if self.verified:
            scale = "" if self.scaled == 1 else f", but for the factor {self.scaled:.6g} that all share"
            return f"all {count} {gradients} right {after}{scale}" if count > 1 else f"the gradient is right {after}"
        rest = ", ".join(f"`{n}`" for n in (*self.wrong, *self.undecided)[:4])
        return f"{count} {gradients} right {after}; {rest} not yet"


def combine(
    path: str,
    args: Sequence[str],
    fixes: Sequence[Fix],
    examine: Callable[[Tape], Any],
    *,
    step_function: str | None = None,
) -> Combined:
    """Run `path` with the edits and examine it as `examine(tape)` does; nothing is written.

    What `examine` returns has `check.measured` and `findings`, as `scripts.Examined`.
    """
    try:
        texts = _edited(path, fixes)
    except (EditError, OSError) as error:
        return Combined(problem=str(error))
    seen: list[Any] = []

    def judge(tape: Tape) -> bool | None:
        found = examine(tape)
        if found is None:
            return None
        seen.append(found)
        return True

    try:
        run = run_again(path, args, StepPolicy(judge, step_function=step_function), texts=texts)
        if not seen and run.tape.nodes:
            judge(run.tape)
    except SyntaxError as error:
        return Combined(problem=f"the edited text is not Python: {error.msg}")
    if not seen:
        reason = f"{type(run.exception).__name__}: {run.exception}" if run.exception else "no training step was recognised"
        return Combined(problem=reason.splitlines()[0])
    return replace(_judged(seen[-1], texts), edits=len(fixes))


def _edited(path: str, fixes: Sequence[Fix]) -> dict[str, str]:
    by_file: dict[str, list[Fix]] = {}
    for fix in fixes:
        by_file.setdefault(os.path.abspath(fix.path or path), []).append(fix)
    return {file: apply_fixes(read_source(file).text, rows) for file, rows in by_file.items()}


def _judged(found: Any, texts: dict[str, str]) -> Combined:
    errors = [f for f in found.findings if f.severity == "error"]
    wrong_names = {m.held.tensor.name for m in found.check.measured if m.verdict == "wrong"} if errors else set()
    accused = {t for f in errors for t in (*f.tensors, *f.affects)}
    right, wrong, undecided = [], [], []
    for m in found.check.measured:
        name = m.held.tensor.name
        if m.verdict == "undecided":
            undecided.append(name)
        elif name in wrong_names and (name in accused or not accused):
            wrong.append(name)
        else:
            right.append(name)
    undecided += found.training.unpaired
    problem = "" if found.training.loss is not None else "no loss was found"
    return Combined(tuple(right), tuple(wrong), tuple(undecided), problem, found.check.uniform if not errors else 1.0, texts)
