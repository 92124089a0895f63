"""Steps that were computed and did not arrive: multiplied by zero, made on a copy, thrown away, or undone
afterwards."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...source import Span
from ...tape.algebra import ADD, SUB, Term, is_any
from ...tape.tape import Node, Ref, Site
from .history import same_bits
from .names import fit
from .statements import read_source
from .tracks import Recorded, Track


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A value `new` that is a parameter's version plus terms made from its gradient, computed at `site`."""

    base: int  # the version or the copy of it that the step starts from
    new: int
    terms: tuple[Term, ...]
    site: Site | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a step did not arrive: the code of the cause, its place, what is said of it, why, and what helps."""

    code: str
    span: Span
    said: str
    why: str
    help: str
    factor: str = ""  # what is zero, by its name: the cause of every step that it multiplies


def steps_from(recorded: Recorded, track: Track) -> list[Step]:
    """The steps computed from a parameter (or a copy of it) and its gradient, wherever they went, in order."""
    starts = {i for m in track.moments for i in m.origins}
    bases = _copies(recorded, {recorded.canon[i] for i in starts})
    gradients = {t.node for m in track.moments for terms in m.terms for t in terms}
    below = _made_from(recorded, gradients)
    found = []
    for node in recorded.nodes:
        if node.kind == "op" and is_any(node.op, ADD | SUB):
            step = _from_sum(recorded, node, bases, below)
        elif node.kind == "write":
            step = _from_write(recorded, node, bases, below)
        else:
            continue
        if step is not None:
            found.append(step)
    return found


def rounds_read(recorded: Recorded, track: Track) -> int:
    """In how many iterations of the outermost recorded loop the first version of a parameter is read."""
    outer = recorded.tape.iterations[:1]
    starts = [it.at for it in recorded.tape.iterations if outer and it.site.id == outer[0].site.id]
    same = {n.index for n in recorded.nodes if recorded.canon[n.index] in {recorded.canon[i] for i in track.moments[0].origins}}
    return len({bisect_right(starts, j) for i in same for j in recorded.replay.index.consumers.get(i, ())})


def unread(recorded: Recorded, step: Step) -> bool:
    """Whether nothing reads what a step makes but the next step."""
    seen, stack = set(), [step.new]
    while stack:
        i = stack.pop()
        if i in seen:
            continue
        seen.add(i)
        following = {u.new for u in recorded.from_node.get(i, ())}
        readers = set(recorded.replay.index.consumers.get(i, ()))
        if readers - following:
            return False
        stack.extend(following)
    return True


def _made_from(recorded: Recorded, gradients: set[int]) -> set[int]:
    """What is made from the gradients before they change anything: the search ends at new versions of parameters."""
    borders = recorded.steps.new_values
    found, stack = set(gradients), list(gradients)
    while stack:
        i = stack.pop()
        if recorded.canon[i] in borders:
            continue
        for reader in recorded.replay.index.consumers.get(i, ()):
            if reader not in found:
                found.add(reader)
                stack.append(reader)
    return found


def _copies(recorded: Recorded, starts: set[int]) -> set[int]:
    """The raw nodes that hold the same bits because they were copied from one of `starts`, which are included."""
    found = {n.index for n in recorded.nodes if recorded.canon[n.index] in starts}
    for node in recorded.nodes:
        if node.index in found or node.kind not in ("op", "view", "item"):
            continue
        if len(node.args) > 2 or is_any(node.op, ADD | SUB):
            continue
        if any(i in found and same_bits(np.asarray(node.value), _value(recorded, i)) for i in node.inputs()):
            found.add(node.index)
    values = [np.asarray(recorded.nodes[i].value) for i in starts]
    for node in recorded.nodes:
        if node.kind == "leaf" and node.index not in found and np.size(node.value) > 1:
            value = np.asarray(node.value)
            if any(value.std() > 0 and same_bits(value, v) for v in values if value.dtype.kind == "f"):
                found.add(node.index)
    return found


def _from_sum(recorded: Recorded, node: Node, bases: set[int], below: set[int]) -> Step | None:
    terms: list[Term] = []
    base = None
    for position, arg in enumerate(node.args[:2]):
        if isinstance(arg, Ref) and arg.index in bases and base is None:
            base = arg.index
        elif isinstance(arg, Ref):
            terms.append(Term(-1.0 if position and is_any(node.op, SUB) else 1.0, arg.index))
    if base is None or not any(t.node in below for t in terms):
        return None
    if np.shape(node.value) != np.shape(recorded.nodes[base].value):
        return None
    return Step(base, node.index, tuple(terms), node.site)


def _from_write(recorded: Recorded, node: Node, bases: set[int], below: set[int]) -> Step | None:
    old = node.args[0].index
    if old not in bases:
        return None
    operands = [a.index for a in node.args[1:] if isinstance(a, Ref)]
    if not any(i in below for i in operands):
        return None
    return Step(old, node.index, tuple(Term(1.0, i) for i in operands), node.site)


def lost(recorded: Recorded, track: Track, steps: Sequence[Step]) -> Lost | None:
    """Why the steps of a parameter that never changes did not arrive; None where the numbers do not tell."""
    moved = [s for s in steps if not same_bits(_value(recorded, s.new), _value(recorded, s.base))]
    if not moved:
        return zeroed(recorded, steps[0], track) if steps and all(_is_zero(recorded, s) for s in steps) else None
    step = moved[0]
    if step.site is None:
        return None
    return _restored(recorded, track, step) or _ignored(recorded, step) or _astray(recorded, track, step)


def _value(recorded: Recorded, index: int) -> np.ndarray:
    return np.asarray(recorded.nodes[index].value)


def all_zero(recorded: Recorded, steps: Sequence[Step]) -> bool:
    """Whether every step adds nothing but zeros."""
    return all(_is_zero(recorded, s) for s in steps)


def _is_zero(recorded: Recorded, step: Step) -> bool:
    return all(not np.any(_value(recorded, t.node)) for t in step.terms)


_LIMITS = ("clip", "minimum", "maximum", "fix", "trunc", "rint", "round", "floor", "astype")


def zeroed(recorded: Recorded, step: Step, track: Track) -> Lost | None:
    """Where a step became zero although the gradient is not: a factor that is 0, or a clip that leaves nothing."""
    live = recorded.replay.downstream([i for m in track.moments for i in m.origins])
    index = step.terms[0].node
    shape = np.shape(_value(recorded, step.base))
    for _ in range(12):
        node = recorded.nodes[index]
        site = node.site or step.site
        inputs = [a.index for a in node.args if isinstance(a, Ref)]
        full = [i for i in inputs if np.any(_value(recorded, i))]
        empty = [i for i in inputs if not np.any(_value(recorded, i))]
        fixed = [i for i in empty if np.size(_value(recorded, i)) == 1 and recorded.canon[i] not in live]
        literal = any(isinstance(a, (int, float)) and not isinstance(a, bool) and a == 0 for a in node.args)
        name = node.name
        if site is None or node.kind != "op" or np.shape(node.value) != shape:
            return None
        if any(fit(b.parts, track.parts) for b in recorded.bindings(index)):
            return None  # the gradient itself is zero
        if any(np.shape(_value(recorded, i)) == shape for i in full):
            factor = called(recorded, fixed[0]) if fixed else _zero_name(node) if literal and "mul" in name else ""
            if factor:
                said = f"`{factor}` is 0, and with it the step of `{track.name}`"
            elif name in _LIMITS or (literal and "mul" in name):
                said = f"`{site.span.text}` leaves nothing of the gradient of `{track.name}`"
            else:
                return None
            return Lost("BD307", site.statement_span, said, "a step of zero changes nothing", _POSITIVE, factor)
        if not empty:
            return None
        index = max(empty, key=lambda i: np.size(_value(recorded, i)))
    return None


def _zero_name(node: Node) -> str:
    """The variable that gave a product its number 0; '' for a literal."""
    written = node.site.node if node.site is not None else None
    if not isinstance(written, ast.BinOp) or len(node.args) != 2:
        return ""
    zero = [w for w, a in zip((written.left, written.right), node.args, strict=True) if not isinstance(a, Ref) and a == 0]
    return ast.unparse(zero[0]) if len(zero) == 1 and isinstance(zero[0], (ast.Name, ast.Attribute)) else ""


_POSITIVE = "give it a positive value"


def called(recorded: Recorded, index: int) -> str:
    """What the user calls a value: its first name, or the value."""
    names = [b for b in recorded.bindings(index) if b.how != "return"]
    if names:
        return names[-1].name
    node = recorded.nodes[index]
    return node.site.span.text if node.site and node.kind != "leaf" else f"{float(np.reshape(node.value, ())):g}"


def _restored(recorded: Recorded, track: Track, step: Step) -> Lost | None:
    """The place held the new value, and then the old one again, by another statement than the one that read it
    first."""
    bindings = recorded.tape.bindings
    places = {b.place for b in bindings if b.node == step.new}
    old = _value(recorded, step.base)
    first = {
        (b.place, b.site.id)
        for b in bindings
        if b.at <= step.new and b.node is not None and same_bits(_value(recorded, b.node), old)
    }
    for b in bindings:
        if b.at <= step.new or b.place not in places or b.node is None or b.node == step.new or b.how in ("read", "element"):
            continue
        if (b.place, b.site.id) in first:
            return None
        if same_bits(_value(recorded, b.node), old):
            said = f"`{b.site.statement_span.text}` puts the old value of `{track.name}` back after its update"
            return Lost("BD306", b.site.statement_span, said, "", "drop the line, or store a copy of the new value first")
        return None
    return None


def _ignored(recorded: Recorded, step: Step) -> Lost | None:
    """The function that computes the step returns it, and the call is a statement of its own."""
    returned = [b for b in recorded.tape.bindings if b.node == step.new and b.how == "return"]
    scope = recorded.tape.scopes.get(recorded.nodes[step.new].scope)
    if scope is None or scope.call is None or not (returned or _in_returned(recorded, step)):
        return None
    call = scope.call
    while isinstance(call.statement, ast.Return) and scope.parent is not None:
        scope = recorded.tape.scopes[scope.parent]
        if scope.call is None:
            return None
        call = scope.call
    if isinstance(call.statement, ast.Expr) and isinstance(call.statement.value, ast.Call):
        said = f"what `{ast.unparse(call.statement.value.func)}` returns is thrown away"
        return Lost("BD304", call.statement_span, said, "", "assign what the call returns to the parameters")
    return None


def _in_returned(recorded: Recorded, step: Step) -> bool:
    """Whether the step is stored in a container that its function returns by name."""
    roots = {b.parts[0] for b in recorded.tape.bindings if b.node == step.new and len(b.parts) > 1}
    if step.site is None or not roots:
        return False
    source = read_source(step.site.span.path)
    line = step.site.span.line
    functions = [
        n
        for n in (ast.walk(source.tree) if source else ())
        if isinstance(n, ast.FunctionDef) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    if not functions:
        return False
    inner = max(functions, key=lambda n: n.lineno)
    returns = [n.value for n in ast.walk(inner) if isinstance(n, ast.Return) and n.value is not None]
    return any(isinstance(v, ast.Name) and v.id in roots for r in returns for v in ast.walk(r))


def _astray(recorded: Recorded, track: Track, step: Step) -> Lost | None:
    """The step was stored somewhere else: in another place, or in none."""
    assert step.site is not None
    origins = {i for m in track.moments for i in m.origins}
    if step.base in origins and recorded.nodes[step.new].kind == "write":
        return None  # into the very array that the forward pass read
    names = [b for b in recorded.tape.bindings if b.node == step.new and b.how in ("assign", "augmented", "append")]
    text = step.site.statement_span.text
    shown = text if "\n" not in text else text.splitlines()[0] + " …"
    if names:
        what = f"`{names[0].name}`, and not `{track.name}`" if names[0].name != track.name else f"a local `{track.name}`"
        said = f"`{shown}` changes {what}"
    else:
        said = f"what `{shown}` computes is stored nowhere"
    copied = step.base not in origins and recorded.nodes[step.base].kind == "op"
    why = "it works on a copy" if copied else "the name gets a new array, the parameter keeps the old one"
    return Lost("BD305", step.site.statement_span, said, why, _BACK)


_BACK = "store the new array where the forward pass reads it, or change that array in place"
