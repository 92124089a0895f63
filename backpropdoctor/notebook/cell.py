"""`%%doctor`: runs a cell as the notebook would, in the notebook's own names, with a recorder in it."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from ..diagnose.repair.live import Kept, keep
from ..report.report import Report
from ..scripts import check_recorded
from ..tape.instrument_loops import Program
from ..tape.run import MAX_BYTES, MAX_NODES, Policy, RunResult, Session
from ..tape.run_call import codes_in, instrumented, reachable, recording, sources_of


def check_cell(shell: Any, cell: str, *, loss: str | None = None, params: Sequence[str] | None = None) -> Report:
    """The report on a cell that trains, run in the names of the notebook.

    What earlier cells define, and modules beside the notebook, is recorded too. A cell in which something is wrong
    stops at the step that shows it; one that is right runs to its end. An exception of the cell is raised as it is,
    after the report is displayed. Raises SyntaxError for a cell that is not Python.
    """
    __tracebackhide__ = True
    source = "\n" + shell.transform_cell(cell)  # the line of the magic counts: lines are those of the cell as typed
    count = shell.displayhook.prompt_count
    path = shell.compile.cache(source, count, raw_code=f"%%doctor\n{cell}")

    def record(policy: Policy) -> RunResult:
        return record_cell(source, path, shell.user_ns, policy, flags=shell.compile.flags & _FUTURE)

    program = _kept(source, path, shell.user_ns, shell.compile.flags & _FUTURE)
    report, run = check_recorded(f"In[{count}]", record, loss=loss, params=params, run_on=True, program=program)
    if run.exception is not None:
        from IPython.display import display

        display(report)
        raise run.exception
    return report


_FUTURE = 0x1FF0000  # the compiler's flags of `from __future__ import …` in earlier cells


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that can be run again, on copies of all that it may change."""

    path: str
    source: str
    names: dict[str, Any]
    flags: int
    kept: Kept

    def again(
        self, policy: Any, *, texts: Mapping[str, str] | None = None, watched: Callable[[Any], Any] | None = None
    ) -> RunResult:
        """Run the cell once more; nothing of the notebook's is changed, nothing displayed."""
        from IPython.utils.capture import capture_output

        with capture_output(), self.kept.back():
            return record_cell(
                self.source,
                self.path,
                self.names,
                policy,
                flags=self.flags,
                sources=self.kept.sources,
                texts=texts or {},
                watched=watched,
            )


def _kept(source: str, path: str, names: dict[str, Any], flags: int) -> Cell | None:
    """What it takes to run a cell again, to be asked for before it runs; None where that cannot be kept."""
    try:
        mentioned = _mentioned(ast.parse(source, path))
    except SyntaxError:
        return None
    functions = list(reachable([names[n] for n in mentioned if n in names], os.getcwd()))
    kept = keep(functions, None, mentioned, names)
    return Cell(path, source, names, flags, kept) if kept is not None else None


def record_cell(
    source: str,
    path: str,
    names: dict[str, Any],
    policy: Policy,
    *,
    flags: int = 0,
    sources: Mapping[str, str | None] | None = None,
    texts: Mapping[str, str] | None = None,
    watched: Callable[[Any], Any] | None = None,
) -> RunResult:
    """Run `source`, a cell that the kernel calls `path`, in `names`; the value of its last line is shown.

    With `texts`, edited sources of cells and files by their path, it is run again with these, and shows nothing;
    `sources` are those of its functions as they were compiled, `watched(recorder)` gives a context to run in.
    Raises SyntaxError where it is no Python, or awaits at its top level.
    """
    __tracebackhide__ = True
    compile(source, path, "exec", flags=flags, dont_inherit=True)
    tree = ast.parse(source, path)
    functions = list(reachable([names[n] for n in _mentioned(tree) if n in names], os.getcwd()))
    known = sources_of(functions) if sources is None else {**sources_of(functions), **sources}
    program = Program()
    for each in (source, *known.values()):
        if each is not None:
            program.add_source(each)
    session = Session(policy, program, max_nodes=MAX_NODES, max_bytes=MAX_BYTES)
    session.result.whole = not program.updates
    lent = instrumented(session, functions, known, texts)
    text = source if texts is None else texts.get(path, source)
    parts = _pieces(source, tree) if texts is None else [(text, "exec")]
    pieces = [
        session.compile(part, path, record_module=session.result.whole, flags=flags, mode=mode).code for part, mode in parts
    ]
    session.recorder.user_modules.update({"__main__", *(f.__module__ or "" for f in functions)})
    with ExitStack() as stack:
        _lend(lent, stack)
        stack.callback(_make_plain, text, path, names, flags)
        if watched is not None:
            stack.enter_context(watched(session.recorder))
        with recording(session):
            for code in pieces:
                exec(code, names)
    session.result.namespace = names
    return session.result


def _mentioned(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _pieces(source: str, tree: ast.Module) -> list[tuple[str, str]]:
    """The cell, and apart from it a last line that is an expression and is shown: unless a semicolon ends it."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";") or last.col_offset:
        return [(source, "exec")]
    lines = source.splitlines(keepends=True)
    before, after = "".join(lines[: last.lineno - 1]), "".join(lines[last.lineno - 1 :])
    return [(before, "exec"), ("\n" * (last.lineno - 1) + after.rstrip() + "\n", "single")]


def _lend(lent: dict[FunctionType, CodeType], stack: ExitStack) -> None:
    """Gives each function its instrumented code until the stack is left."""
    for function, code in lent.items():
        stack.callback(setattr, function, "__code__", function.__code__)
        function.__code__ = code


def _make_plain(source: str, path: str, names: dict[str, Any], flags: int) -> None:
    """Gives the functions that the cell has defined the code that they would have had without a recorder."""
    plain = dict(codes_in(compile(source, path, "exec", flags=flags, dont_inherit=True)))
    for function in list(reachable(list(names.values()), os.getcwd())):
        code = function.__code__
        own = plain.get((code.co_qualname, code.co_firstlineno)) if code.co_filename == path else None
        if own is not None and own.co_freevars == code.co_freevars:
            function.__code__ = own
