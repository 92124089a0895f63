"""All edits together: the edited program runs in memory, and its gradients are examined again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...edits import EditError
from ...errors import InputError, one_line
from ...finding import Fix
from ...load.script import StepPolicy
from ...tape.tape import Tape
from .back import edited_texts, shown
from .rerun import Program

# how many gradients are right, their steps aside; how many are that or a multiple of the truth; how many with their steps
Nearness = tuple[int, int, int]


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
    found: Any = field(default=None, repr=False)  # what its examination gave
    multiples: int = 0  # how many of the wrong ones are a multiple of the truth
    unscaled: tuple[str, ...] = ()  # the wrong ones of which only the step is wrong
    stops: bool = False  # whether the program does not run with the edits

    @property
    def verified(self) -> bool:
        """Whether all gradients are right."""
        return bool(self.right) and not (self.wrong or self.undecided or self.problem)

    @property
    def nearness(self) -> Nearness:
        """How near the program is to all gradients being right."""
        return len(self.right) + len(self.unscaled), len(self.right) + self.multiples, len(self.right)

    @property
    def is_doubtful(self) -> bool:
        """Whether all that is wrong is so only if the loss is the one that the gradients belong to."""
        return self.found is not None and bool(self.found.is_doubtful)

    def belies(self, names: Collection[str]) -> bool:
        """Whether the program could be checked and none of these gradients is right: no edit was meant for them.

        Where all are right, they may have other names: one of a layer that had no gradient before counts along.
        """
        return not (self.problem or self.verified or set(names) & set(self.right))

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
    program: Program,
    fixes: Sequence[Fix],
    examine: Callable[[Tape], Any],
    *,
    step_function: str | None = None,
    earlier: int = 0,
) -> Combined:
    """Run the program with the edits and examine it as `examine(tape)` does; nothing is written.

    `earlier` is the number of operations that were recorded of the program as it is.

    What `examine` returns has `check.measured` and `findings`, as `scripts.Examined`.
    """
    try:
        texts = edited_texts(program.path, fixes)
    except (EditError, OSError) as error:
        return Combined(problem=str(error), stops=True)
    seen: list[Any] = []

    def judge(tape: Tape) -> bool | None:
        found = examine(tape)
        if found is None:
            return None
        seen.append(found)
        return True

    try:
        with shown(texts):
            run = program.again(StepPolicy(judge, step_function=step_function, earlier=earlier), texts=texts)
            if not seen and run.tape.nodes:
                judge(run.tape)
    except SyntaxError as error:
        return Combined(problem=f"the edited text is not Python: {error.msg}", stops=True)
    except InputError as error:
        return Combined(problem=str(error))
    if not seen:
        problem = one_line(run.exception) if run.exception else "no training step was recognised"
        return Combined(problem=problem, stops=run.exception is not None)
    found = replace(_judged(seen[-1], texts), edits=len(fixes), found=seen[-1])
    if run.exception is not None and not found.problem:
        return replace(found, problem=f"it stops with {one_line(run.exception)}", stops=True)
    return found


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
    uniform = found.check.uniform if not errors else 1.0
    multiples = sum(_is_multiple(found.check, m) for m in found.check.measured if m.held.tensor.name in wrong)
    unscaled = tuple(m.held.tensor.name for m in found.check.measured if m.unscaled and m.held.tensor.name in wrong)
    return Combined(
        tuple(right), tuple(wrong), tuple(undecided), problem, uniform, texts, multiples=multiples, unscaled=unscaled
    )


def nearness(check: Check) -> Nearness:
    """How near the gradients of a program are to being right."""
    right = sum(m.verdict == "right" for m in check.measured)
    wrong = [m for m in check.measured if m.verdict == "wrong"]
    return right + sum(bool(m.unscaled) for m in wrong), right + sum(_is_multiple(check, m) for m in wrong), right


def _is_multiple(check: Check, m: Measured) -> bool:
    """Whether a gradient of several numbers is parallel to the truth: any two numbers are."""
    nodes = check.training.replay.tape.nodes
    several = sum(np.size(nodes[i].value) for i in m.held.tensor.nodes) > 1
    return several and m.ratio is not None and bool(m.ratio.value)
