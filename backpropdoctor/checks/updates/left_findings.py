"""Findings about parameters that the update leaves out: said with their place, their numbers, and an edit that was run."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...finding import Explanation, Finding, Fix, make_finding
from ...tape.algebra import Term
from .executed import steps_from
from .left_edits import Rerun, Seen, edits_of, fixes_of, multiple, stays, steps, watch, written
from .left_out import LeftOut, Search, is_float
from .left_where import Place, Where, loop_names
from .names import ticked
from .scene import is_frozen
from .statements import Source, Statement, is_update, match
from .tracks import Moment, Recorded, Track

_ON_PURPOSE = re.compile(
    r"fr[eo]e?z|congel|eingefror|gel[ée]e?s?\b|trainable|requires_grad|"
    r"fine.?tun|transfer.?learn|pre.?train|not (?:be )?trained|untrained",
    re.IGNORECASE,
)
_FROZEN_CLASS = re.compile(r"dataclass\([^)]*\)")
_TRAINED = re.compile(r"(?<!non-)(?<!not )(?<!n't )(?<!only )trainable\b", re.IGNORECASE)
_WITH_PROSE = (ast.Module, ast.ClassDef, ast.FunctionDef)
_MOST_EDITS = 8
_SAME_STEP = 1e-6  # how near the factors of two steps are that are the same; a float32 step has about this


def left_out(
    recorded: Recorded,
    sources: Mapping[str, Source],
    rerun: Rerun | None,
    *,
    frozen: Sequence[str] = (),
    spoken: Collection[str] = (),
) -> list[Finding]:
    """A finding for each place that leaves parameters out whose gradient is computed; `spoken` names those explained.

    Where the program speaks of freezing, nothing is said: what stays as it is may be meant to.
    """
    training = next((t for t in recorded.trainings if t.loss is not None and t.parameters), None)
    if training is None or training.loss is None or any(_is_on_purpose(s) for s in sources.values()):
        return []
    search = Search(recorded, training, training.loss)
    missing = [one for one in search.found() if not is_frozen(one.name, frozen) and one.name not in spoken]
    missing = [one for one in missing if not any(_is_for(s, one) for s in _silent(recorded, sources))]
    missing = [one for one in missing if not _is_lost(recorded, one)]
    if not missing:
        return []
    where = Where(search, sources)
    groups: dict[tuple[str, int, int], tuple[Place, list[LeftOut]]] = {}
    for one in missing:
        place = where.place(one)
        if place is not None:
            groups.setdefault(place.key, (place, []))[1].append(one)
    found = [_Case(search, place, group, rerun, tuple(sources.values())).finding() for place, group in groups.values()]
    return [f for f in found if f is not None]


def _is_on_purpose(source: Source) -> bool:
    """Whether a file speaks of parameters that are not trained. Prose that calls some trainable does not."""
    prose = [ast.get_docstring(n, clean=False) for n in ast.walk(source.tree) if isinstance(n, _WITH_PROSE)]
    text = _FROZEN_CLASS.sub("", source.text)
    for said in filter(None, prose):
        text = text.replace(said, _TRAINED.sub("", said))
    return bool(_ON_PURPOSE.search(text))


def _is_lost(recorded: Recorded, one: LeftOut) -> bool:
    """Whether a step of the parameter is computed and goes astray: other causes say why."""
    made = {n.site.id for n in recorded.nodes if n.index == one.gradient and n.site is not None}
    terms = [n.index for n in recorded.nodes if n.site is not None and n.site.id in made]
    moments = [Moment(k, (one.node,), ((Term(1.0, i),),)) for k, i in enumerate(terms)]
    return bool(steps_from(recorded, Track(one.name, one.parts, moments)))


def _silent(recorded: Recorded, sources: Mapping[str, Source]) -> list[Statement]:
    """The updates at which nothing was recorded."""
    ran = {(n.site.span.path, n.site.statement.lineno) for n in recorded.nodes if n.site is not None}
    ran |= {(b.site.span.path, b.site.statement.lineno) for b in recorded.tape.bindings}
    return [s for source in sources.values() for s in source.updates if (s.path, s.line) not in ran and is_update(s)]


def _is_for(statement: Statement, one: LeftOut) -> bool:
    return any(match(statement, b.parts) == 2 for b in one.names)


def _moves(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'each move' if len(names) > 1 else 'moves'}"


@dataclass(slots=True)
class _Case:
    """One place, and what it leaves out."""

    search: Search
    place: Place
    left: list[LeftOut]
    rerun: Rerun | None
    sources: Sequence[Source]

    def finding(self) -> Finding | None:
        """The finding; None where the script changes one of the parameters later on."""
        values = {one.node: np.asarray(self.search.nodes[one.node].value) for one in self.left}
        seen = watch(self.place, self.left, values, self.rerun) if self.rerun is not None else Seen({}, [])
        kept = [stays(seen, one.node) for one in self.left]
        if False in kept:
            return None
        names = self.names(seen)
        several = len(names) > 1
        fix, proof = self.edit(values, names)
        gradients = list(dict.fromkeys(one.called.name for one in self.left))
        lines = sorted({one.called.site.span.line for one in self.left})
        at = f"at line{'s' if len(lines) > 1 else ''} {' and '.join(map(str, lines))}"
        certain = all(one.likely for one in self.left) and None not in kept and self.is_exception()
        return make_finding(
            "BD324",
            f"{ticked(names)} {'are' if several else 'is'} never updated: {self.blamed(several)}, and "
            f"{ticked(gradients)}, computed {at}, {'go' if len(gradients) > 1 else 'goes'} into no update",
            severity="error" if certain else "warning",
            span=self.place.span,
            label=f"leaves out {ticked(names)}",
            tensors=tuple(names),
            measured=self.measured(names, seen),
            explanations=(Explanation("the gradient is computed and right, and no update reads it", "verified"),),
            help=self.help(fix, proof, names),
            fix=fix[0] if fix else None,
            fixes=fix if len(fix) > 1 else (),
            related=tuple((one.called.site.span, f"the gradient of `{n}`") for one, n in zip(self.left, names, strict=True)),
            evidence={"left_out": self.place.what, "gradient_lines": lines, "kin": [one.kin for one in self.left]},
        )

    def is_exception(self) -> bool:
        """Whether at least as many parameters are updated as are left out."""
        return len(self.search.roots) >= len(self.left)

    def names(self, seen: Seen) -> list[str]:
        """The names of the parameters; the path by which the program holds one, where it has no lasting name."""
        found: list[str] = []
        turned = {n for s in self.sources for n in loop_names(s)}
        for one in self.left:
            paths = sorted(seen.first.get(one.node, {}), key=lambda p: (p[0][1] in turned, len(p)))
            passing = all(b.how in ("loop", "argument", "read") and (len(b.parts) < 2 or b.scope) for b in one.names)
            best = written(paths[0]) if paths and (passing or one.name.startswith("self.")) and len(paths[0]) > 1 else one.name
            found.append(best if best not in found else one.name)
        return found

    def blamed(self, several: bool) -> str:
        """What is said of the place."""
        span, they = self.place.span, "them" if several else "it"
        text = span.text.splitlines()[0] if span.text else ""
        said = {
            "loop": f"`{text}` leaves {they} out",
            "condition": f"`{text}` passes {they} over",
            "list": f"the list `{text}` leaves {they} out",
            "statement": f"no statement beside `{text}` does it",
        }
        return said[self.place.what]

    def measured(self, names: Sequence[str], seen: Seen) -> str:
        """The numbers."""
        one, steps_seen = self.left[0], len(self.search.recorded.trainings)
        loss = f"`{self.search.loss.name}`" if self.search.loss.name else "the loss"
        return (
            f"bitwise the same in {steps_seen} recorded steps; the slope of {loss} along `{names[0]}` is {one.slope:.4g}, "
            f"and `{one.called.name}` is {one.ratio.value or 0.0:.8g} times the true gradient "
            f"(error bar {one.ratio.error:.0e})"
        )

    def edit(self, values: Mapping[int, np.ndarray], names: Sequence[str]) -> tuple[tuple[Fix, ...], str]:
        """The simplest edit after which every parameter takes its step, and what was seen of it."""
        if self.rerun is None:
            return (), ""
        known = self.factors()
        for k, edits in enumerate(edits_of(self.place, self.left)):
            if k >= _MOST_EDITS:
                break
            seen = watch(self.place, self.left, values, self.rerun, edits=edits)
            taken = [steps(seen, one, self.gradients(one)) for one in self.left]
            if seen.error is not None or None in taken:
                continue
            if known and not all(c and any(abs(c - k) <= _SAME_STEP * abs(k) for k in known) for c in taken):
                continue
            how = f"by {-(taken[0] or 0.0):g} times its gradient" if known else "in the first step"
            return fixes_of(self.place, edits), f"verified: in a copy with this edit {_moves(names)} {how}"
        return (), ""

    def factors(self) -> list[float]:
        """c of `new = old - c * gradient` in the first updates of the siblings; [] where their steps are of another kind."""
        found = []
        siblings = {id(h): h for one in self.left for h in one.siblings}
        for held in siblings.values():
            update = next((u for u in self.search.updates if u.old in held.tensor.nodes), None)
            if update is not None:
                change = self.value(update.new) - self.value(update.old)
                found.append(multiple(change, self.value(held.node)))
        return [c for c in found if c]

    def value(self, node: int) -> np.ndarray:
        """The value of a node."""
        return np.asarray(self.search.nodes[node].value, dtype=float)

    def gradients(self, one: LeftOut) -> list[np.ndarray]:
        """What the gradient may have been in the first step: all that has its name there."""
        size = np.size(self.search.nodes[one.node].value)
        made = [b for b in self.search.recorded.tape.bindings if b.site.id == one.called.site.id and b.node is not None]
        values = (self.search.nodes[b.node or 0].value for b in made)
        return [np.asarray(v) for v in values if is_float(v) and np.size(v) == size]

    def help(self, fix: Sequence[Fix], proof: str, names: Sequence[str]) -> str:
        """What to do."""
        if not fix:
            gradient = self.left[0].called.name
            return f"let the update change `{names[0]}` by `{gradient}` too, or name it in `expect_frozen=` if it is to stay"
        first = fix[0]
        after = first.after.strip().splitlines()
        written_so = after[-1].strip() if len(after) > 1 else first.after
        how = f"add `{written_so}`" if len(after) > 1 else f"write `{first.after}` in the place of `{first.before}`"
        return f"{how} ({proof})"
