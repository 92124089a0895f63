"""Dead updates of a script, from its tape: `check_updates_on_tape` runs the ladder and finds each cause's line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from ...tape.run import RunResult
from ...tape.tape import Site
from ...tape.training import Training
from . import ontape
from .ahead import ahead_of
from .chained import chained
from .curves import with_curves
from .executed import Lost, Step, all_zero, lost, rounds_read, steps_from, unread, zeroed
from .frame import missing_key
from .idle import idle
from .left_findings import left_out
from .mend import mended
from .names import ticked
from .rerun import Outcome
from .scene import is_frozen
from .statements import Statement, is_update, match, read_source
from .tracks import Recorded, Track
from .unreached import Unreached, changes_later, find_unreached

Rerun = Callable[..., Outcome]
FEWEST = 2  # recorded steps below which nothing is said to be dead


def check_updates_on_tape(
    run: RunResult,
    trainings: Iterable[Training],
    *,
    expect_frozen: Sequence[str] = (),
    rerun: Rerun | None = None,
    edits: Sequence[tuple[Span, str]] = (),
    wrong: Collection[str] = (),
) -> list[Finding]:
    """What is wrong with the updates that a recorded run shows, in the order of the ladder; [] where they are fine.

    `trainings` are the recorded steps as `load` understands them. `rerun(probes=, sources=)` runs the script once more
    (`functools.partial(rerun.rerun, path, args)`); without it, code that never ran is not spoken of. `edits` (place,
    new text) are repairs found elsewhere, made in the mended copy too. `wrong` names the parameters whose gradient is
    known to be wrong: of these nothing is said that their gradient would explain.
    """
    proven = (replace(t, parameters=[h for h in t.parameters if h.evidence == "update"]) for t in trainings)
    check = _Check(
        Recorded(run, [t for t in proven if t.parameters]), tuple(expect_frozen), rerun, tuple(edits), frozenset(wrong)
    )
    found = check.findings()
    return with_curves(found, check.recorded.history(check.recorded.tracks)) if found else found


class _Check:
    def __init__(
        self,
        recorded: Recorded,
        frozen: tuple[str, ...],
        rerun: Rerun | None,
        edits: tuple[tuple[Span, str], ...],
        wrong: frozenset[str],
    ) -> None:
        self.recorded, self.frozen, self.rerun, self.edits, self.wrong = recorded, frozen, rerun, edits, wrong
        self.silenced: set[str] = set()  # parameters that stand still for now, and move later
        self.sources = {path: s for path in sorted(recorded.run.files) if (s := read_source(path)) is not None}

    def findings(self) -> list[Finding]:
        recorded = self.recorded
        found: list[Finding] = []
        if isinstance(recorded.run.exception, KeyError):
            found += missing_key(recorded.run.exception)
        tracks = [t for t in recorded.tracks if not is_frozen(t.name, self.frozen)]
        if any(_not_finite(recorded, t) for t in tracks):
            return found
        found += ontape.shape_drift(recorded)
        grown = {name for f in found for name in f.tensors}
        tracks = [t for t in tracks if t.name not in grown]
        dead = [t for t in tracks if len(t.moments) >= FEWEST and recorded.still(t) and _has_gradient(recorded, t)]
        still = [t for t in tracks if len(t.moments) >= FEWEST and recorded.still(t) and t not in dead]
        zero = self.zero_steps(still)
        floats = [t for t in dead if _floats(recorded, t)]
        explained = ontape.integer_drift(recorded, self.sources.values()) + self.dead(floats) + zero
        for more in (self.copies(), chained(recorded)):
            explained += [f for f in more if f.line not in {e.line for e in explained}]
        found += explained
        found += self.left_out([name for f in found for name in f.tensors])
        spoken = {name for f in explained for name in f.tensors} | self.silenced
        rest = [t for t in tracks if t.name not in spoken and (t not in dead or t.updated) and _floats(recorded, t)]
        return found + ontape.climb_tape(recorded, rest, list(self.sources.values()), wrong=self.wrong, alone=not found)

    def left_out(self, spoken: Sequence[str]) -> list[Finding]:
        """Parameters whose gradient is computed and goes into no update."""
        return left_out(self.recorded, self.sources, self.rerun, frozen=self.frozen, spoken=spoken)

    def zero_steps(self, tracks: Sequence[Track]) -> list[Finding]:
        """Steps that a factor of 0 makes zero, if the parameter never changes later either."""
        groups: dict[Lost, list[Track]] = {}
        for track in tracks:
            steps = steps_from(self.recorded, track)
            why = zeroed(self.recorded, steps[0], track) if steps and all_zero(self.recorded, steps) else None
            if why is None:
                continue
            if self.moves_later(steps[0].site):
                self.silenced.add(track.name)
            else:
                groups.setdefault(why, []).append(track)
        return [self.lost_finding(why, group) for why, group in merged(groups)]

    def moves_later(self, site: Site | None) -> bool:
        """Whether a parameter changes at its update later in the script (a warm-up); True where that cannot be seen."""
        source = self.sources.get(site.span.path) if site is not None else None
        statement = next((s for s in source.updates if s.line == site.statement.lineno), None) if source and site else None
        if statement is None or self.rerun is None:
            return True
        return changes_later(statement, self.rerun)

    # ---- parameters that never change although their gradient is not zero

    def dead(self, tracks: Sequence[Track]) -> list[Finding]:
        """One finding for each cause of a parameter that never changes."""
        lost_ones: dict[Lost, list[Track]] = {}
        never: list[Track] = []
        for track in tracks:
            steps = steps_from(self.recorded, track)
            why = lost(self.recorded, track, steps) if steps else None
            if why is not None and why.code == "BD307" and self.moves_later(steps[0].site):
                self.silenced.add(track.name)
                continue
            if why is not None and self._stored_back(track, steps):
                why = None  # a statement that stores the result exists and did not run: say what keeps it from it
                never.append(track)
            elif why is not None:
                lost_ones.setdefault(why, []).append(track)
            elif not steps:
                never.append(track)
        found = self.unreached(never) if never and self.rerun is not None else []
        if never and not found and self.rerun is not None:
            found = idle(self.recorded, never, self.sources, self._unchanged(never))
        return found + [self.lost_finding(why, group) for why, group in merged(lost_ones)]

    def copies(self) -> list[Finding]:
        """Parameters whose steps go to copies made before the training, which nothing else reads."""
        recorded = self.recorded
        groups: dict[Lost, list[Track]] = {}
        for track in map(recorded.in_every_round, recorded.unmoved):
            steps = [s for s in steps_from(recorded, track) if s.base not in track.moments[0].origins]
            frozen = is_frozen(track.name, self.frozen) or not _floats(recorded, track)
            if frozen or not steps or rounds_read(recorded, track) < FEWEST or not all(unread(recorded, s) for s in steps):
                continue
            why = lost(recorded, track, steps)
            if why is not None and why.code == "BD305":
                groups.setdefault(why, []).append(track)
        return [self.lost_finding(why, group) for why, group in merged(groups)]

    def _stored_back(self, track: Track, steps: Sequence[Step]) -> bool:
        """Whether a statement that did not run would give the parameter the value of the step."""
        new = {s.new for s in steps}
        names = {b.parts[-1] for b in self.recorded.tape.bindings if b.node in new} - {track.parts[-1]}
        return any(
            s.blocks and match(s, track.parts) == 2 and names & {n.id for n in ast.walk(s.value) if isinstance(n, ast.Name)}
            for s in self._silent()
            if not is_update(s)
        )

    def _silent(self) -> list[Statement]:
        """The assignments inside loops and functions at which nothing was recorded."""
        ran = {(n.site.span.path, n.site.statement.lineno) for n in self.recorded.nodes if n.site is not None}
        ran |= {(b.site.span.path, b.site.statement.lineno) for b in self.recorded.tape.bindings}
        return [s for source in self.sources.values() for s in source.assignments if (s.path, s.line) not in ran]

    def lost_finding(self, why: Lost, tracks: Sequence[Track]) -> Finding:
        """A step that was computed and did not arrive."""
        names = [t.name for t in tracks]
        return make_finding(
            why.code,
            f"{why.said}, so {ticked(names)} {'are' if len(names) > 1 else 'is'} never updated",
            span=why.span,
            tensors=tuple(names),
            measured=self._unchanged(tracks),
            explanations=(Explanation(why.why or "seen on the record of the run", "verified"),),
            help=why.help,
            evidence={"update_lines": self.update_lines(tracks)},
        )

    def update_lines(self, tracks: Sequence[Track]) -> list[int]:
        """The lines at which steps of the parameters are computed, whether they arrive or not."""
        sites = [s.site for t in tracks for s in steps_from(self.recorded, t)]
        return sorted({site.statement.lineno for site in sites if site is not None})

    def _unchanged(self, tracks: Sequence[Track]) -> str:
        steps = max(len(tracks[0].moments), rounds_read(self.recorded, tracks[0]))
        return f"bitwise the same in {steps} recorded steps, with gradients that are not zero"

    def unreached(self, tracks: Sequence[Track]) -> list[Finding]:
        """Updates that never run: what keeps them from it, and what will fail once they do."""
        assert self.rerun is not None
        silent = [s for s in self._silent() if s.blocks]
        candidates = [s for s in silent if any(match(s, t.parts) for t in tracks) and (is_update(s) or _stores(s, tracks))]
        if not candidates:
            return []
        found = []
        for gate in find_unreached(candidates, self.sources, self.rerun):
            mine = [t for t in tracks if any(match(s, t.parts) for s in gate.statements)]
            if mine:
                found.append(self.unreached_finding(gate, mine))
        return found

    def unreached_finding(self, gate: Unreached, tracks: Sequence[Track]) -> Finding:
        """The finding of one block that is never entered."""
        names = [t.name for t in tracks]
        what, code = described(gate)
        every = {t.name for t in self.recorded.tracks} == set(names)
        loss = next((t.loss for t in self.recorded.trainings if t.loss and t.loss.source != "implied"), None)
        opening = f"the {loss.name if loss else 'loss'} never moves: " if every else ""
        ahead = ahead_of(gate, self.recorded, names)
        tail = f"; and once it runs, {ahead.said}" if ahead.said else ""
        proof = mended(gate, ahead, self.recorded, self.rerun, self.edits) if self.rerun and ahead.edits else None
        explanations = [Explanation(f"{what}: {gate.proof}", "verified")]
        return make_finding(
            code,
            f"{opening}{what}, so {', '.join(names)} {'are' if len(names) > 1 else 'is'} never updated{tail}",
            span=gate.source.header_span(gate.gate.node),
            tensors=tuple(names),
            measured=self._unchanged(tracks),
            explanations=tuple(explanations),
            help=ahead.help + (f" ({proof})" if proof else ""),
            fix=ahead.fixes[0] if ahead.fixes else None,
            fixes=ahead.fixes if len(ahead.fixes) > 1 else (),
            related=tuple(ahead.related),
            evidence={"next": list(ahead.errors), "proof": gate.proof, "values": gate.gate.said},
        )


def described(gate: Unreached) -> tuple[str, str]:
    """What keeps a block from being entered, in words, and the code of that cause."""
    node, header = gate.gate.node, gate.source.header(gate.gate.node)
    at = f"`{header}` at line {node.lineno}"  # type: ignore[attr-defined]
    known = f" ({gate.gate.said})" if gate.gate.said else ""
    if gate.gate.kind == "function":
        return f"`{node.name}` at line {node.lineno} is never called", "BD303"  # type: ignore[attr-defined]
    if gate.gate.kind == "loop":
        return f"{at} runs over nothing{known}", "BD301"
    side = "is never true" if gate.gate.branch == "body" else "is always true"
    return f"{at} {side}{known}", "BD302"


def _stores(statement: Statement, tracks: Sequence[Track]) -> bool:
    return any(match(statement, t.parts) == 2 for t in tracks)


def merged(groups: dict[Lost, list[Track]]) -> list[tuple[Lost, list[Track]]]:
    """Causes of one kind at one place, or by one factor of 0, are one finding; what is said of the first stands for all."""
    found: dict[tuple[str, Span | str], tuple[Lost, list[Track]]] = {}
    for why, tracks in groups.items():
        found.setdefault((why.code, why.factor or why.span), (why, []))[1].extend(tracks)
    return list(found.values())


def _floats(recorded: Recorded, track: Track) -> bool:
    return recorded.value(track.moments[0].origins).dtype.kind == "f"


def _not_finite(recorded: Recorded, track: Track) -> bool:
    for moment in track.moments:
        gradient = recorded.gradient(moment)
        if not np.isfinite(recorded.value(moment.origins)).all():
            return True
        if gradient is not None and not np.isfinite(gradient).all():
            return True
    return False


def _has_gradient(recorded: Recorded, track: Track) -> bool:
    gradients = [recorded.gradient(m) for m in track.moments]
    return sum(g is not None and bool(np.any(g)) for g in gradients) >= FEWEST
