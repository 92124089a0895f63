"""Records a call of a live function: its source is compiled again, instrumented, its code lent for the call."""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import InputError
from .instrument_loops import Program
from .run import MAX_BYTES, MAX_NODES, FirstSteps, Policy, RunResult, Session, Stop
from .run_modules import is_user_file, scrub


def record_call(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    policy: Policy | None = None,
    user_root: str | os.PathLike[str] | None = None,
    max_nodes: int = MAX_NODES,
    max_bytes: int = MAX_BYTES,
    whole: bool | None = None,
    debug: bool = False,
    sources: Mapping[str, str | None] | None = None,
    texts: Mapping[str, str] | None = None,
    watched: Callable[[Any], Any] | None = None,
) -> RunResult:
    """Call `function(*args, **kwargs)`, a function of a module, a test or a notebook, with a recorder in it.

    The functions and methods that it can reach and that are the user's (below `user_root`, by default the folder of its
    file, or typed into a notebook) are recorded too. Raises InputError if its source cannot be found; what the call
    itself raises is in the result, its return value in `result.value`.
    """
    start = _unwrapped(function)
    if start is None:
        raise InputError("only functions and methods written in Python can be recorded")
    root = os.path.abspath(user_root or root_of(start))
    functions = list(reachable([start, *args, *(kwargs or {}).values(), function], root))
    sources = sources_of(functions) if sources is None else {**sources_of(functions), **sources}
    program = Program()
    for source in sources.values():
        if source is not None:
            program.add_source(source)
    session = Session(policy or FirstSteps(), program, max_nodes=max_nodes, max_bytes=max_bytes)
    session.recorder.debug = debug
    result = session.result
    result.whole = not program.reaches_update(start.__name__) if whole is None else whole
    lent = instrumented(session, functions, sources, texts or {})
    if start not in lent:
        reason = result.unread.get(start.__code__.co_filename, "its source cannot be found")
        raise InputError(f"`{start.__name__}` cannot be recorded: {reason}")
    session.recorder.user_modules.update(f.__module__ or "" for f in functions)
    originals = {f: f.__code__ for f in lent}
    try:
        for f, code in lent.items():
            f.__code__ = code
        with watched(session.recorder) if watched else contextlib.nullcontext(), recording(session):
            session.result.value = function(*args, **(kwargs or {}))
    finally:
        for f, code in originals.items():
            f.__code__ = code
    result.namespace = start.__globals__
    return result


def root_of(function: types.FunctionType) -> str:
    """The folder of a function's file: what stands below it is the user's code."""
    return os.path.abspath(os.path.dirname(function.__code__.co_filename) or os.curdir)


@contextlib.contextmanager
def recording(session: Session) -> Iterator[None]:
    """Records what is run inside; how it ended, be it with an exception, is in the session's result."""
    result, recorder = session.result, session.recorder
    if result.whole:
        recorder.start()
    try:
        yield
    except Stop:
        result.stopped = True
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        result.exception = scrub(error)
    finally:
        recorder.on = True  # the caller, or the notebook, goes on using the arrays: the record gets copies
        recorder.pause()
        recorder.close()


def _unwrapped(function: Any) -> types.FunctionType | None:
    for _ in range(16):
        if isinstance(function, types.FunctionType):
            inner = getattr(function, "__wrapped__", None)
            if inner is None:
                return function
            function = inner
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not isinstance(function, type) and isinstance(type(function).__dict__.get("__call__"), types.FunctionType):
            return type(function).__dict__["__call__"]
        else:
            return None
    return None


def _is_users(path: str, root: str) -> bool:
    return is_user_file(path, root) or (not os.path.exists(path) and bool(linecache.getlines(path)))


def reachable(objects: Sequence[Any], root: str) -> Iterator[types.FunctionType]:
    """The user's functions that can be found from `objects`: globals, closures, classes and their methods, arguments."""
    waiting: list[Any] = list(objects)
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, (str, int, float)):
            continue
        seen.add(id(item))
        if isinstance(item, types.FunctionType):
            waiting.append(getattr(item, "__wrapped__", None))
            waiting.extend(cell.cell_contents for cell in item.__closure__ or () if _filled(cell))
            if _is_users(item.__code__.co_filename, root):
                yield item
                if id(item.__globals__) not in seen:
                    seen.add(id(item.__globals__))
                    waiting.extend(_own_names(item.__globals__))
        elif isinstance(item, (types.MethodType, staticmethod, classmethod)):
            waiting.extend([item.__func__, getattr(item, "__self__", None)])
        elif isinstance(item, property):
            waiting.extend([item.fget, item.fset, item.fdel])
        elif isinstance(item, functools.partial):
            waiting.extend([item.func, *item.args])
        elif isinstance(item, types.ModuleType):
            if is_user_file(getattr(item, "__file__", None), root):
                waiting.extend(_own_names(vars(item)))
        elif isinstance(item, type):
            module = sys.modules.get(item.__module__)
            if item.__module__ == "__main__" or is_user_file(getattr(module, "__file__", None), root):
                waiting.extend([*vars(item).values(), *item.__bases__])
        elif type(item) in (list, tuple, dict):
            waiting.extend((item.values() if isinstance(item, dict) else item) if len(item) <= 1000 else ())
        elif type(item).__module__ not in ("builtins", "numpy"):
            waiting.append(type(item))
            waiting.extend(vars(item).values() if hasattr(type(item), "__dict__") and hasattr(item, "__dict__") else ())


def _own_names(names: Mapping[str, Any]) -> list[Any]:
    """What a module's own statements define: a loader (`__loader__`) may hold all that a test run has collected."""
    return [value for name, value in names.items() if not (name.startswith("__") and name.endswith("__"))]


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def sources_of(functions: Sequence[types.FunctionType]) -> dict[str, str | None]:
    """The source of each file that the functions stand in, None where it cannot be found."""
    return {path: _source(path, f) for path, f in {f.__code__.co_filename: f for f in functions}.items()}


def _source(path: str, function: types.FunctionType) -> str | None:
    linecache.checkcache(path)
    return "".join(linecache.getlines(path, function.__globals__)) or None


def instrumented(
    session: Session,
    functions: list[types.FunctionType],
    sources: Mapping[str, str | None],
    texts: Mapping[str, str] | None = None,
) -> dict[types.FunctionType, types.CodeType]:
    """The instrumented code of each function whose source is what it was made from; `texts` are edited sources.

    Raises SyntaxError where an edited source is no Python, InputError where a function cannot be edited.
    """
    lent: dict[types.FunctionType, types.CodeType] = {}
    edited = {p: texts[q] for p in sources for q in (p, os.path.abspath(p)) if texts and q in texts}
    plain: dict[str, dict[tuple[str, int], types.CodeType]] = {}
    woven: dict[str, dict[tuple[str, int], types.CodeType]] = {}
    for f in functions:
        path = f.__code__.co_filename
        source = sources[path]
        if source is None:
            session.result.unread[path] = "its source cannot be found"
            continue
        if path not in plain:
            try:
                plain[path] = dict(codes_in(compile(source, path, "exec", dont_inherit=True)))
                if path in edited:
                    woven[path] = _in_their_places(plain[path], codes_in(session.compile(edited[path], path).code))
                else:
                    woven[path] = dict(codes_in(session.compile(source, path).code))
            except (SyntaxError, ValueError) as error:
                if path in edited:
                    raise
                plain[path] = {}
                session.result.unread[path] = f"its source cannot be compiled: {error}"
        key = (f.__code__.co_qualname, f.__code__.co_firstlineno)
        same = plain[path].get(key)
        if same is None or same.co_code != f.__code__.co_code or same.co_names != f.__code__.co_names:
            session.result.unread.setdefault(path, f"the source of `{f.__qualname__}` has changed since it was loaded")
        elif woven[path][key].co_freevars == f.__code__.co_freevars:
            lent[f] = woven[path][key]
        elif path in edited:
            raise InputError(f"`{f.__qualname__}` cannot be edited: it would use other variables of the function around it")
    return lent


def _in_their_places(
    plain: Mapping[tuple[str, int], types.CodeType], edited: Iterator[tuple[tuple[str, int], types.CodeType]]
) -> dict[tuple[str, int], types.CodeType]:
    """The edited code of each function, by where it stands in the source as it is: in one file they keep their order."""
    rows = list(edited)
    if [name for name, _ in plain] != [name for (name, _), _ in rows]:
        raise InputError("the edit adds or removes a function")
    return {key: code for key, (_, code) in zip(plain, rows, strict=True)}


def codes_in(code: types.CodeType) -> Iterator[tuple[tuple[str, int], types.CodeType]]:
    """Every code object inside another one, by its qualified name and first line."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from codes_in(constant)
