"""Which values on a tape are parameters, what their gradient is, and which of the training steps they belong to.

A parameter is a value whose update depends on the value itself: the gradient of a model does, a momentum, a running sum or
an accumulator does not. Its gradient is the update without the value itself and without the scalar factors.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..tape.numbering import reads_shape_only
from ..tape.steps import Scaling, Steps, Term, Update
from ..tape.tape import Binding, Iteration, Node, Ref, Site
from .conventions import is_cache_name, is_gradient_name, is_learning_rate

_NOT_ELEMENTWISE = {
    "dot",
    "matmul",
    "outer",
    "einsum",
    "tensordot",
    "inner",
    "kron",
    "convolve",
    "correlate",
    "transpose",
}


@dataclass(frozen=True, slots=True)
class Gradient:
    """What the code takes for the gradient: a sum of factor * node, and the scalar factors that its update adds."""

    terms: tuple[Term, ...]
    factors: tuple[tuple[float, str], ...]
    name: str
    site: Site | None
    named: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in one step: `origin` is the node the forward pass read; `update` is None where nothing updates it."""

    name: str
    parts: tuple[Hashable, ...]
    place: Hashable
    origin: int
    update: Update | None
    gradient: Gradient | None
    last: int | None = None  # the node after the step's whole update
    home: Hashable = None  # the place that gives it its name

    @property
    def group(self) -> str:
        """The name of the list a scalar stands in: 'weights' for weights[0][1]."""
        return str(self.parts[0]) if self.parts else self.name


class Parameters:
    """The parameters of a tape, found from its updates."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.replay = steps.replay
        self.nodes = steps.tape.nodes
        self.canon = self.replay.canonical
        self._shared: set[tuple[float, str]] = set()

    # ---- which updates are of parameters -----------------------------------------------------------------------------

    @cached_property
    def before(self) -> dict[int, int]:
        """For each value the one that its place held before."""
        found = {u.new: u.old for u in self.steps.updates}
        held: dict[Hashable, int] = {}
        for b in self.steps.tape.bindings:
            if b.node is None:
                continue
            old = held.get(b.place)
            shape = np.shape(self.nodes[b.node].value)
            if old is not None and old != b.node and np.shape(self.nodes[old].value) == shape:
                found.setdefault(b.node, old)
            held[b.place] = b.node
        for node in self.nodes:
            if node.kind == "write":
                found.setdefault(node.index, node.args[0].index)
        return found

    @cached_property
    def _starts(self) -> dict[int, int]:
        """For each update (by its new node) the node at which its training step began.

        That is the last round of the outermost loop that turned between this update of the place and the one before.
        """
        last: dict[Hashable, int] = {}
        starts: dict[int, int] = {}
        opened: dict[tuple[int, int], int] = {}
        for e in self.steps.tape.iterations:
            opened.setdefault((e.site.id, e.instance), e.at)
        for update in self.steps.updates:
            place = self._place(update)
            previous = update.old if update.old in starts else last.get(place)
            start = 0
            if previous is not None:
                turned = [
                    (opened[e.site.id, e.instance], -e.at)
                    for e in self._between(previous, update.new)
                    if opened[e.site.id, e.instance] <= previous
                ]
                start = -min(turned)[1] if turned else starts.get(previous, 0)
            starts[update.new] = start
            last[place] = update.new
        return starts

    def _between(self, first: int, second: int) -> list[Iteration]:
        events = self.steps.tape.iterations
        low = bisect_right(events, first, key=lambda e: e.at)
        return events[low : bisect_right(events, second, key=lambda e: e.at)]

    def _origin(self, update: Update, known: dict[int, int]) -> int | None:
        """The version of the place, in this step, that the update depends on."""
        versions: list[int] = []
        version: int | None = update.old
        for _ in range(3):
            if version is None:
                break
            versions += [v for v in (version, known.get(version)) if v is not None]
            version = self.before.get(version)
        made_of = self._made_of([t.node for t in update.terms], self._starts[update.new], set(versions))
        return next((v for v in versions if v in made_of), None)

    def _made_of(self, nodes: list[int], start: int, wanted: set[int]) -> set[int]:
        """Which of the values in `wanted` the `nodes` are made of, through what was recorded from `start` on."""
        low = min(wanted, default=0)
        seen, stack = set(), [i for i in nodes if i >= start]
        while stack:
            i = stack.pop()
            if i < start or i < low or reads_shape_only(self.nodes[i]):
                continue
            for j in self.nodes[i].inputs():
                if j not in seen:
                    seen.add(j)
                    stack.append(j)
        return seen & wanted

    def _is_between(self, origin: int, start: int, origins: set[int], rejected: set[int], news: set[int]) -> bool:
        """Whether a value is made of parameters in its own step: what a residual block adds to, not a parameter."""
        if origin in rejected:
            return True
        seen, stack = {origin}, [origin]
        copies = origin
        while self._is_copy(copies):
            copies = next(iter(self.nodes[copies].inputs()))
        if copies in origins and copies != origin:
            return False
        while stack:
            i = stack.pop()
            if i != origin and (i in origins or i in news) and i not in rejected:
                return True
            if i < start or i in news and i not in rejected or reads_shape_only(self.nodes[i]):
                continue
            for j in self.nodes[i].inputs():
                if j not in seen:
                    seen.add(j)
                    stack.append(j)
        return False

    def _is_copy(self, i: int) -> bool:
        name = getattr(self.nodes[i].op, "__name__", "") or getattr(self.nodes[i].op, "name", "")
        return name in ("copy", "deepcopy", "array", "asarray", "getitem") and len(set(self.nodes[i].inputs())) == 1

    @cached_property
    def updates(self) -> list[tuple[Update, int]]:
        """The updates of parameters, each with the version of the parameter that the forward pass read."""
        known: dict[int, int] = {}
        found: list[tuple[Update, int]] = []
        for update in self.steps.updates:
            if np.asarray(self.nodes[update.old].value).dtype.kind not in "fiu":
                continue
            origin = self._origin(update, known)
            if origin is not None:
                known[update.new] = origin
                found.append((update, origin))
        return self._without_between(found)

    def _without_between(self, found: list[tuple[Update, int]]) -> list[tuple[Update, int]]:
        """The updates without those of values that the forward or backward pass adds to on its way."""
        origins = {o for _, o in found}
        news = {u.new for u, _ in found}
        rejected: set[int] = set()
        kept = []
        for update, origin in found:
            if update.old in news and update.old not in rejected and origin not in rejected:
                kept.append((update, origin))  # goes on from an update that was kept
            elif self._is_between(origin, self._starts[update.new], origins, rejected, news):
                rejected |= {update.new, origin}
            else:
                kept.append((update, origin))
        return kept

    @cached_property
    def states(self) -> dict[int, Update]:
        """The updates of what outlives a step besides the parameters (a momentum, a second moment), by their new node."""
        own = {self.canon[i] for u, o in self.updates for i in (u.old, u.new, o)}
        found: dict[int, Update] = {}
        sites = set()
        for update in self.steps.updates:
            new, start = self.canon[update.new], self._starts[update.new]
            if new in own or self.steps.is_accumulator(update):
                continue
            if self.canon[update.old] in own:  # a sum that starts with a parameter: a bias, and on from there
                own.add(new)
                continue
            if update.old < start or (start == 0 and self.nodes[update.old].kind == "leaf"):
                found[new] = update
                sites.add(update.site)
        for update in self.steps.updates:  # the first step, where a state is still the zeros it was made with
            if update.site in sites and self.canon[update.new] not in own:
                found.setdefault(self.canon[update.new], update)
        return found

    def _elementwise(self, index: int) -> set[int]:
        """The node and what it is made of by operations on its elements; states are not looked into."""
        shape = np.shape(self.nodes[index].value)
        seen: set[int] = set()
        stack = [self.canon[index]]
        while stack:
            i = stack.pop()
            if i in seen or np.shape(self.nodes[i].value) != shape:
                continue
            seen.add(i)
            if i not in self.states and is_elementwise(self.nodes[i]):
                stack.extend(self.replay.inputs(i))
        return seen

    @cached_property
    def by_step(self) -> list[list[Parameter]]:
        """The parameters of each recorded training step, in the order of their updates."""
        groups: dict[tuple[Any, int], list[Update]] = defaultdict(list)
        for update, origin in self.updates:
            groups[self._place(update), origin].append(update)
        numbers: dict[Hashable, int] = defaultdict(int)
        steps: list[list[tuple[Hashable, int, list[Update]]]] = []
        for (place, origin), updates in sorted(groups.items(), key=lambda item: item[1][0].new):
            number = numbers[place]
            numbers[place] += 1
            while len(steps) <= number:
                steps.append([])
            steps[number].append((place, origin, updates))
        found = []
        for members in steps:
            self._shared = self._shared_factors([u for _, _, updates in members for u in updates])
            found.append([self._parameter(place, origin, updates) for place, origin, updates in members])
        return found

    def _shared_factors(self, updates: list[Update]) -> set[tuple[float, str]]:
        """The scalar factors that every update of a step has: the learning rate, and what all gradients are divided by."""
        shared: set[tuple[float, str]] | None = None
        for update in updates:
            own: set[tuple[float, str]] = set()
            for term in update.terms:
                chain = list(self.steps.algebra.scalings(term.node, lambda i: self.canon[i] in self._live))
                own |= set(chain[-1].factors)
            shared = own if shared is None else shared & own
        return shared or set()

    def _allowed(self, factor: tuple[float, str]) -> bool:
        """Whether a scalar factor is the update's and not the gradient's: shared by all updates, or a learning rate."""
        return factor[1] == "-1" or factor in self._shared or is_learning_rate(factor[1])

    def _strippings(self, node: int) -> list[Scaling]:
        """The node with the update's own scalar factors taken off; a factor of the gradient's stays in its value."""
        chain = list(self.steps.algebra.scalings(node, lambda i: self.canon[i] in self._live))
        found = [s for s in chain if all(self._allowed(f) for f in s.factors)]
        last, deepest = found[-1], chain[-1]
        beyond = [f for f in deepest.factors[len(last.factors) :] if self._allowed(f)]
        if beyond and last.inside == 1.0:
            factors = (*last.factors, *beyond)
            found.append(Scaling(last.node, factors, float(np.prod([v for v, _ in beyond]))))
        return found

    def _place(self, update: Update) -> Hashable:
        if update.binding is not None and self.nodes[update.new].kind != "write":
            return update.binding.place
        node, seen = update.old, set()
        while node in self.before and node not in seen:
            seen.add(node)
            node = self.before[node]
        return ("buffer", node)

    def _parameter(self, place: Hashable, origin: int, updates: list[Update]) -> Parameter:
        binding = self.best_name(origin, updates[0].binding)
        name, parts = (binding.name, binding.parts) if binding else (self.read_name(origin), ())
        if all(self._covers(u) for u in updates):
            gradient = self.gradient_of(updates, tuple(t for u in updates for t in u.terms))
        else:
            gradient = self._gradient_in_parts(updates, origin)
        home = binding.place if binding else None
        return Parameter(name, parts or (name,), place, origin, updates[0], gradient, updates[-1].new, home)

    def _covers(self, update: Update) -> bool:
        """Whether an update changes all of its value at once, and not an element or a row of it."""
        node = self.nodes[update.new]
        if node.kind == "write" and (node.args[1] is not None or not _is_whole(node)):
            return False
        return True

    def _gradient_in_parts(self, updates: list[Update], origin: int) -> Gradient | None:
        """The gradient of a value that is updated by rows or elements: its whole change without the scalar factors."""
        chains = [self._strippings(u.terms[0].node)[-1] for u in updates]
        products = {round(abs(c.product), 15) for c in chains}
        if len(products) != 1 or any(len(u.terms) != 1 for u in updates):
            return None
        size = products.pop() or 1.0
        terms = (Term(-1.0 / size, updates[-1].new), Term(1.0 / size, origin))
        found = self._named(chains[0], 1.0, exact=True)
        return Gradient(terms, found.factors, found.name, found.site, found.named)

    def best_name(self, node: int, preferred: Binding | None) -> Binding | None:
        """What a person calls a value: the slot or attribute its update changes, else an outer name before an inner one."""
        if preferred is not None and len(preferred.parts) > 1:
            return preferred
        names = [b for b in self.replay.index.names.get(node, ()) if b.how not in ("return", "loop", "append", "element")]
        if preferred is not None:
            names.append(preferred)
        return min(names, key=lambda b: (_is_cache(b), len(b.parts) > 3, b.how == "argument", b.scope, b.at), default=None)

    def read_name(self, node: int) -> str:
        """The expression by which the code reads a value that it never names while being recorded."""
        for i in self.replay.index.consumers.get(node, ()):
            text = operand_text(self.nodes[i], node)
            if text:
                return text
        return f"value {node}"

    # ---- gradients -------------------------------------------------------------------------------------------------

    def gradient_of(self, updates: list[Update], terms: tuple[Term, ...]) -> Gradient | None:
        """The gradient that an update uses: without scalar factors, and before any momentum or adaptive scaling."""
        if len(terms) > 1:
            return Gradient(tuple(Term(-t.factor, t.node) for t in terms), (), "", updates[0].site, False)
        term = terms[0]
        chain = self._strippings(term.node)
        if self._is_adaptive(chain[-1].node):
            source = self._behind_state(term.node)
            return None if source is None else self._named(Scaling(source[0], ()), -term.factor * source[1], exact=False)
        chosen = next((s for s in chain[1:] if self._gradient_binding(s.node)), None)
        if chosen is None and len(chain) > 1 or chosen is None and not self._gradient_binding(chain[0].node):
            chosen = chain[-1]
        return self._named(chosen or chain[0], -term.factor, exact=True)

    def _is_adaptive(self, index: int) -> bool:
        """Whether a step is made from a state that outlives it, such as a momentum."""
        return bool(self._elementwise(index) & set(self.states))

    @cached_property
    def _live(self) -> set[int]:
        return self.replay.downstream([origin for _, origin in self.updates])

    def _gradient_binding(self, node: int) -> Binding | None:
        names = self.replay.index.names.get(node, ())
        return next((b for b in names if is_gradient_name(b.parts)), None)

    def _named(self, scaling: Scaling, sign: float, *, exact: bool) -> Gradient:
        binding = self._gradient_binding(scaling.node) or next(iter(self.replay.index.names.get(scaling.node, ())), None)
        node = self.nodes[scaling.node]
        site = node.site if node.site is not None else binding.site if binding else None
        name = binding.name if binding else ""
        factors = scaling.factors if exact else ()
        direction = sign * (np.sign(scaling.product) if factors else 1.0)
        term = Term(float(np.sign(direction)) / abs(scaling.inside), scaling.node)
        return Gradient((term,), factors, name, site, bool(binding))

    def _behind_state(self, index: int) -> tuple[int, float] | None:
        """The one gradient that the states behind an adaptive update were fed with, and the sign it is taken with.

        None where there is no single one.
        """
        found: dict[int, float] = {}
        seen: set[tuple[int, float]] = set()
        stack = [(self.canon[index], 1.0)]
        shape = np.shape(self.nodes[index].value)
        while stack:
            i, sign = stack.pop()
            if (i, sign) in seen or np.shape(self.nodes[i].value) != shape:
                continue
            seen.add((i, sign))
            state = self.states.get(i)
            if state is not None:
                stack.extend((self.canon[t.node], sign * np.sign(t.factor)) for t in state.terms)
            elif self._gradient_binding(i) and i in self._live and not self._holds_state(i):
                found[i] = sign or found.get(i, 0.0)
            else:
                parts = [(j, s) for j, s in self._signed_inputs(i) if np.shape(self.nodes[j].value) == shape]
                if parts and is_elementwise(self.nodes[i]):
                    stack.extend((j, sign * s) for j, s in parts)
                elif i in self._live:
                    found[i] = sign or found.get(i, 0.0)
        return found.popitem() if len(found) == 1 else None

    def _holds_state(self, i: int) -> bool:
        return bool(self._elementwise(i) & set(self.states))

    def _signed_inputs(self, i: int) -> list[tuple[int, float]]:
        """The inputs of an elementwise node with the sign it takes them with, 0 where that is lost."""
        node = self.nodes[i]
        name = getattr(node.op, "__name__", "")
        inputs = self.replay.inputs(i)
        split = self.steps.algebra.scalar_split(i)
        if split is not None:
            value = float(np.reshape(self.steps.algebra.value(split[0]), ()))
            return [(self.canon[split[1].index], float(np.sign(value)) or 1.0)]
        if name in ("pow", "power", "square", "sqrt", "abs", "absolute") or (len(inputs) == 1 and len(node.args) == 2):
            return [(j, 0.0) for j in inputs]  # a second moment: the sign is lost
        if name in ("neg", "negative"):
            return [(j, -1.0) for j in inputs]
        if name in ("sub", "isub", "subtract") and len(inputs) == 2:
            return [(inputs[0], 1.0), (inputs[1], -1.0)]
        return [(j, 1.0) for j in inputs]


def _is_cache(binding: Binding) -> bool:
    return any(isinstance(p, str) and is_cache_name(p) for p in binding.parts)


def is_elementwise(node: Node) -> bool:
    """Whether a node works element by element on inputs of its own shape."""
    name = getattr(node.op, "__name__", "")
    return node.kind == "op" and name not in _NOT_ELEMENTWISE and name not in ("getitem", "sum", "mean", "array")


def _is_whole(node: Node) -> bool:
    key = node.args[2]
    return (
        key is None
        or key is Ellipsis
        or (isinstance(key, slice) and key == slice(None))
        or not isinstance(key, (Ref, tuple, list, int, np.ndarray, slice))
    )


def operand_text(node: Node, wanted: int) -> str:
    """The source text of the operand of `node` that is the node `wanted`, or ''."""
    import ast

    site = node.site
    if site is None:
        return ""
    tree = site.node
    children: list[ast.AST] = []
    if isinstance(tree, ast.BinOp):
        children = [tree.left, tree.right]
    elif isinstance(tree, ast.Call):
        children = [*([tree.func.value] if isinstance(tree.func, ast.Attribute) else []), *tree.args]
    elif isinstance(tree, ast.Subscript):
        children = [tree.value]
    refs = [a.index if isinstance(a, Ref) else None for a in node.args]
    offset = len(children) - len(refs) if len(children) >= len(refs) else 0
    for child, index in zip(children[offset:], refs, strict=False):
        if index == wanted and isinstance(child, (ast.Name, ast.Attribute, ast.Subscript)):
            return ast.unparse(child)
    return ""
