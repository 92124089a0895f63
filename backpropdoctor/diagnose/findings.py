"""From roots and measured gradients to findings: what is said where no cause has been proved yet."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks.gradients import Check
from ..finding import Finding, make_finding
from .blame import Blame, Root
from .called import lambda_around, name_of_place

_WORDS = {
    0.5: "half of",
    2.0: "twice",
    0.25: "a quarter of",
    4.0: "four times",
    1 / 3: "a third of",
    3.0: "three times",
}


def gradient_findings(check: Check, blame: Blame | None, roots: Sequence[Root]) -> list[Finding]:
    """One finding a root, and one warning for a factor that all gradients share."""
    findings = [root_finding(check, root) for root in roots]
    uniform = uniform_finding(check, blame)
    return findings + ([uniform] if uniform else [])


def root_finding(check: Check, root: Root) -> Finding:
    """A root with what was measured about it; the cause is another's work."""
    name = root_name(root)
    common = {
        "span": root.span,
        "tensors": tuple(root.tensors),
        "affects": tuple(t for t in root.affects),
        "measured": measured_sentence(check, root),
        "layer": root.site.function if root.site.function != "<module>" else None,
    }
    handed = _handed_finding(check, root, common)
    if handed is not None:
        return handed
    if is_multiple(root, check):
        assert root.ratio is not None
        of = f"the gradient it should be{for_what(root)}"
        return make_finding("BD102", f"`{name}` is {times(root.ratio, check)} {of}", label="made here", **common)
    advice = "no single edit of this line was found that makes it right: work it out again by the chain rule on paper"
    what = "the gradient it should be" if not root.names or name in root.names else "what it should be"
    return make_finding(
        "BD101",
        f"`{name}` is not {what}{for_what(root)}",
        label="goes wrong here",
        help=f"{advice}; `--format html` draws which elements differ",
        **common,
    )


def _handed_finding(check: Check, root: Root, common: dict[str, Any]) -> Finding | None:
    """What a call of the backward pass gets that it should not, or lacks for another call of the forward pass."""
    called = called_function(root.site.statement)
    if called and called.split(".")[-1] not in {s.function.split(".")[-1] for s in check.training.replay.tape.scopes.values()}:
        return None  # of a library: `np.clip(d, -5, 5, out=d)` is no layer's backward pass
    if called and root.left_out is not None:
        forward = root.left_out.span
        return make_finding(
            "BD118",
            f"the share of `{forward.text}` is missing: only that of another call is in {_list(root.affects)}",
            label="for one call only",
            related=((forward, "is left out"),),
            help=f"call `{called}()` for `{forward.text}` as well, with the gradient of its own result",
            **common,
        )
    if not called or not root.names:
        return None
    name, what = root.names[0], f"the gradient that `{called}()` should get here"
    if root.ratio is None or not is_multiple(root, check):
        said, text = f"is not {what}", ""
    else:
        said = f"is {times(root.ratio, check)} {what}"
        text = f"-{name}" if math.isclose(root.ratio, -1.0, rel_tol=1e-9) else f"{name} / {root.ratio:.6g}"
    advice = (
        f"write `{text}`: what is made of it is off by that factor" if text else "give it the gradient of its own call's result"
    )
    label = "gets the gradient of another value"
    return make_finding("BD112", f"`{name}` {said}", label=label, help=advice, **common)


def root_name(root: Root) -> str:
    """What the user calls the wrong value: its variable, else what it becomes, else the expression that makes it."""
    site = root.site
    if root.names:
        own = _written_to(site.statement)
        return own if own and own not in root.names else root.names[0]
    named = lambda_around(site.statement, site.node) or name_of_place(site.statement, site.node, site.function)
    return named or (root.span.text.splitlines()[0].strip() if root.span.text else "this value")


def _written_to(statement: ast.stmt) -> str | None:
    """The variable or the attribute that a statement sets, if it sets one."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return ast.unparse(targets[0]) if len(targets) == 1 and isinstance(targets[0], (ast.Name, ast.Attribute)) else None


def called_function(statement: ast.stmt) -> str | None:
    """What a statement calls that is nothing but a call, and no list's method."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "insert"):
        return None
    return ast.unparse(call.func)


def for_what(root: Root) -> str:
    return f" for {_list(root.tensors)}" if root.tensors else ""


def measured_sentence(check: Check, root: Root) -> str:
    """The number behind a root: the ratio where there is one, else both sides along a direction."""
    names = _list(root.affects)
    if is_multiple(root, check) and root.tensors:
        assert root.ratio is not None
        rows = [m for m in check.wrong if m.held.tensor.name in root.tensors and m.ratio is not None]
        bar = max((m.ratio.error for m in rows if m.ratio), default=0.0)
        all_of = "all of " if len(root.affects) > 1 else ""
        return f"{root.ratio:.8g} of the true gradient in {all_of}{names} (error bar {max(bar, 1e-15):.0e})"
    parts = []
    for m in check.wrong:
        if m.held.tensor.name in root.affects and m.held.evidence == "replaced":
            return f"`{m.held.tensor.name}` is changed by its own gradient, and what it was is lost"
        if m.held.tensor.name in root.affects and check.training.loss is not None:
            truth = check.training.adjoints.slope(m.held.tensor, check.training.loss.objective, 0)
            if truth is not None:
                mine, _ = check.training.adjoints.claimed(m.held.claim, 0)
                parts.append(f"`{m.held.tensor.name}`: the code says {mine:.6g}, the loss really changes by {truth.value:.6g}")
        if len(parts) == 2:
            break
    return "; ".join(parts) + (" along a random direction" if parts else "")


def is_multiple(root: Root, check: Check | None = None) -> bool:
    """Whether a value is the right one but for a factor; one whose factor is 1 is wrong in another way.

    Any number is some multiple of another one: of a single number only a factor that has words tells anything.
    """
    if root.ratio is None or math.isclose(root.ratio, 1.0, rel_tol=1e-6):
        return False
    is_array = check is None or np.size(check.training.replay.base(root.node)) > 1
    return is_array or bool(_in_words(root.ratio))


def uniform_finding(check: Check, blame: Blame | None) -> Finding | None:
    """The warning for a factor that all gradients share with the loss."""
    factor, loss = check.uniform, check.training.loss
    if loss is None or loss.source == "implied" or loss.running or check.used or abs(factor - 1) < 1e-6:
        return None
    if blame is not None and not blame.uniform_is_scale:
        return None
    tensors = tuple(
        m.held.tensor.name for m in check.measured if m.ratio and m.ratio.value and abs(m.ratio.value - factor) < 1e-6 * factor
    )
    if not tensors:
        return None
    return make_finding(
        "BD103",
        f"every gradient is exactly {times(factor, check)} that of the loss `{loss.name}`",
        span=loss.site.statement_span if loss.site else None,
        label="the gradient belongs to another multiple of this",
        tensors=tensors,
        measured=f"{factor:.8g} times the true gradient in {_list(tensors)}",
        help=f"harmless for the direction, but a step is {factor:.6g} times what the learning rate says: "
        "divide the gradients by that factor, or take the factor into the loss",
    )


def times(ratio: float, check: Check | None = None) -> str:
    """A factor in words: 'half of', '-1 times', '1/120 of'."""
    return _in_words(ratio) or f"{ratio:.6g} times"


def _in_words(ratio: float) -> str:
    if math.isclose(ratio, -1.0, rel_tol=1e-9):
        return "the negative of"
    for value, words in _WORDS.items():
        if math.isclose(ratio, value, rel_tol=1e-9):
            return words
    if 0 < abs(ratio) < 1 and math.isclose(1 / ratio, round(1 / ratio), rel_tol=1e-7):
        return f"1/{round(1 / ratio)} of"
    if math.isclose(ratio, round(ratio), rel_tol=1e-7) and ratio:
        return f"{round(ratio)} times"
    return ""


def _list(names: Sequence[str], most: int = 6) -> str:
    shown = [f"`{n}`" for n in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return ", ".join(shown)
