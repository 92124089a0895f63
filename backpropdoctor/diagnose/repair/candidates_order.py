"""What a statement would have made if another one had not changed its operands before: an update too early, an alias."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from ...finding import Fix
from ...tape.replay import Replay
from ...tape.steps import Steps
from ...tape.tape import Ref, Site
from .candidate import Candidate
from .expression import Text
from .scene import Scene
from .world import Frozen, Items, Thing, Unknown


def too_early(scene: Scene, steps: Steps) -> Iterator[Candidate]:
    """For each earlier statement that changed something this one reads: as if it had come later."""
    if scene.within is not None:
        return
    replay: Replay = scene.trial.replay
    seen = _visible(scene)
    groups: dict[int, tuple[Site, dict[int, int]]] = {}
    parameters: set[int] = set()
    updates = {u.new: u for u in steps.updates}
    for moment_nodes in seen:
        for i in moment_nodes:
            node = replay.tape.nodes[i]
            old = node.args[0].index if node.kind == "write" else updates[i].old if i in updates else None
            if old is None or node.site is None or node.site.statement is scene.statement:
                continue
            line = node.site.statement.lineno
            groups.setdefault(line, (node.site, {}))[1][i] = old
            if _is_parameter(scene, old):
                parameters.add(line)
    for line, (site, redirect) in groups.items():
        words = {"line": line, "what": ast.unparse(site.statement).splitlines()[0], "target": _target(site.statement)}
        shared = _shared(scene, site, redirect)
        if shared is not None:  # under another name: the two share their memory
            fixes = (scene.text.fix(shared.value, f"{scene.text.of(shared.value)}.copy()"),)
            words |= {"name": ast.unparse(shared.targets[0]), "at": shared.lineno}
            yield Candidate(1.15, scene.statement, "", "alias", words, redirect, fixes)
        elif line in parameters:
            moved = _moved(scene, site)
            if moved is None and _is_held(scene, site):
                continue  # what it reads is overwritten on the way: another edit is wanted
            yield Candidate(1.15, scene.statement, "", "update-before-use", words, redirect, moved)
        else:
            yield Candidate(1.15, scene.statement, "", "alias", words, redirect, _copied(scene, site))


def _shared(scene: Scene, write: Site, redirect: dict[int, int]) -> ast.Assign | None:
    """The assignment without a copy that gave the changed memory the name under which this statement reads it."""
    changed = _root_name(write.statement)
    moment = scene.moment
    for node in ast.walk(scene.statement):
        if not isinstance(node, ast.Name) or node.id == changed:
            continue
        frozen = moment.locals.get(node.id, moment.globals.get(node.id))
        if not isinstance(frozen, Ref) or frozen.index not in redirect:
            continue
        found = [
            a
            for a in ast.walk(scene.function)
            if isinstance(a, ast.Assign)
            and len(a.targets) == 1
            and ast.unparse(a.targets[0]) == node.id
            and isinstance(a.value, (ast.Name, ast.Attribute, ast.Subscript))
            and a.lineno < scene.place.line
        ]
        if found:
            return max(found, key=lambda a: a.lineno)
    return None


def _is_parameter(scene: Scene, node: int) -> bool:
    canonical = scene.trial.replay.canonical
    origins = {i for m in scene.trial.check.measured for i in m.held.tensor.nodes}
    return canonical[node] in origins


def _visible(scene: Scene) -> list[set[int]]:
    """The nodes that the statement's names lead to, in each of its moments."""
    names = {n.id for n in ast.walk(scene.statement) if isinstance(n, ast.Name)}
    found = []
    for moment in scene.trial.moments[scene.place]:
        nodes: set[int] = set()
        for name in names:
            _nodes(moment.locals.get(name, moment.globals.get(name)), nodes, set())
        found.append(nodes)
    return found


def _nodes(frozen: Frozen, found: set[int], seen: set[int]) -> None:
    if isinstance(frozen, Ref):
        found.add(frozen.index)
    elif isinstance(frozen, Unknown):
        if frozen.node is not None:
            found.add(frozen.node)
    elif isinstance(frozen, (Items, Thing)) and id(frozen) not in seen:
        seen.add(id(frozen))
        inner = frozen.attributes if isinstance(frozen, Thing) else frozen.items
        for value in inner.values() if isinstance(inner, dict) else inner:
            _nodes(value, found, seen)


def _target_given(call: ast.Call) -> str | None:
    """The array that a call is given to write what it makes to: `out=dh`."""
    return next((ast.unparse(k.value) for k in call.keywords if k.arg == "out"), None)


def _target(statement: ast.stmt) -> str:
    given = [t for n in ast.walk(statement) if isinstance(n, ast.Call) and (t := _target_given(n)) is not None]
    if given:
        return given[0]
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return ast.unparse(target) if target is not None else ast.unparse(statement)


def _block(tree: ast.AST, line: int) -> list[ast.stmt] | None:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            rows = getattr(node, name, None)
            if isinstance(rows, list) and any(isinstance(r, ast.stmt) and r.lineno == line for r in rows):
                return rows
    return None


def _moved(scene: Scene, update: Site) -> tuple[Fix, ...] | None:
    """The update taken out and put behind the last statement of its block that reads the parameter."""
    if update.span.path != scene.place.path:
        return None
    block = _block(scene.tree, update.statement.lineno)
    home = _block(scene.tree, scene.place.line)
    if block is None or home is not block:
        return None
    place = next(k for k, r in enumerate(block) if r.lineno == update.statement.lineno)
    use = max(k for k, r in enumerate(block) if r.lineno <= scene.place.line)
    if use <= place or _reads(block[place]) & _written(block[place + 1 : use + 1]):
        return None
    lines = scene.text.lines
    moved = "\n".join(lines[block[place].lineno - 1 : block[place].end_lineno])
    first, last = block[place].lineno, block[use].end_lineno or block[use].lineno
    between = "\n".join(lines[(block[place].end_lineno or first) : last])
    fix = Fix(
        line=first,
        before=moved + "\n" + between,
        after=between + "\n" + moved,
        path=scene.place.path,
        column=1,
        end_line=last,
        end_column=len(lines[last - 1]) + 1,
    )
    return (fix,)


def _is_held(scene: Scene, update: Site) -> bool:
    """Whether an update cannot come later as it is: its block gives what it reads other values before this statement's end."""
    block = _block(scene.tree, update.statement.lineno)
    between = [r for r in block or () if update.statement.lineno < r.lineno <= scene.place.line]
    return update.span.path == scene.place.path and bool(_reads(update.statement) & _written(between))


def _reads(statement: ast.stmt) -> set[str]:
    """The variables that a statement reads, without the one that it changes."""
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - {
        _root_name(statement)
    }


def _written(statements: Sequence[ast.stmt]) -> set[str]:
    """The variables that statements give new values."""
    return {n.id for s in statements for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _copied(scene: Scene, write: Site) -> tuple[Fix, ...] | None:
    """The name that shares its memory given a copy of its own."""
    path = write.span.path
    text = Text(write.statement, path)
    given = next((n for n in ast.walk(write.statement) if isinstance(n, ast.Call) and _target_given(n) is not None), None)
    if given is not None and isinstance(write.statement, ast.Assign):
        kept = [k for k in given.keywords if k.arg != "out"]
        return (text.fix(given, ast.unparse(ast.Call(given.func, given.args, kept))),)
    root = _root_name(write.statement)
    tree = ast.parse("\n".join(text.lines))
    best = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and node.lineno < write.statement.lineno:
            if ast.unparse(node.targets[0]) == root and isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript)):
                best = node if best is None or node.lineno > best.lineno else best
    if best is not None:
        return (text.fix(best.value, f"{text.of(best.value)}.copy()"),)
    statement = write.statement
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        signs = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
        sign = signs.get(type(statement.op))
        if sign:
            value = text.wrapped(statement.value)
            return (text.fix(statement, f"{statement.target.id} = {statement.target.id} {sign} {value}"),)
    return None


def _root_name(statement: ast.stmt) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target) if target is not None else ""
