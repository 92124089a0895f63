"""The world that a script runs in: `__main__`, sys.argv, its own modules instrumented, nothing that blocks."""

from __future__ import annotations

import ast
import builtins
import io
import os
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from ..errors import BackpropDoctorError
from .instrument_loops import Program

_HERE = os.path.dirname(os.path.abspath(__file__))
_NOT_OURS = ("site-packages", "dist-packages", "node_modules", ".venv", "venv", "__pycache__")
BACKEND = "module://backpropdoctor.tape.headless"


class InputRefused(BackpropDoctorError):
    """The script asked for keyboard input, which a checked script does not get."""


def is_user_file(path: str | None, root: str) -> bool:
    """Whether a file is the user's code: under `root`, and not an installed package."""
    if not path or not path.endswith(".py"):
        return False
    path = os.path.abspath(path)
    if not path.startswith(os.path.join(root, "")) or path.startswith(os.path.join(os.path.dirname(_HERE), "")):
        return False
    stdlib = sysconfig.get_paths()["stdlib"]
    inside = os.path.relpath(path, root).split(os.sep)
    return not any(part in _NOT_OURS for part in inside) and not path.startswith(os.path.join(stdlib, ""))


_READ: dict[tuple[str, str], tuple[dict[str, bytes], Program]] = {}  # the last program read, with its files' contents


def read_program(path: str, root: str, limit: int = 200) -> Program:
    """The script and the modules beside it that it imports, directly or not, read but not run.

    Where no file has changed since it was read last, it is that program.
    """
    contents, program = _READ.get((path, root), ({}, None))
    if program is None or any(_content(file) != content for file, content in contents.items()):
        contents, program = _read_anew(path, root, limit)
        _READ.clear()
        _READ[path, root] = contents, program
    return program


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _read_anew(path: str, root: str, limit: int) -> tuple[dict[str, bytes], Program]:
    program, contents = Program(), dict[str, bytes]()
    waiting, seen = [path], {path}
    while waiting and len(seen) <= limit:
        file = waiting.pop()
        content = _content(file)
        if content is None:
            continue
        contents[file] = content
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError):
            continue
        program.add(tree)
        for name in _imported(tree):
            for base in {os.path.dirname(path), root}:
                stem = os.path.join(base, *name.split("."))
                for found in (f"{stem}.py", os.path.join(stem, "__init__.py")):
                    if found not in seen and os.path.isfile(found) and is_user_file(found, root):
                        seen.add(found)
                        waiting.append(found)
    return contents, program


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names.add(base)
            names.update(f"{base}.{alias.name}".strip(".") for alias in node.names)
    names.discard("")
    return names


class _Loader(SourceFileLoader):
    """Loads a module of the user's, instrumented."""

    session: Any = None

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        session = self.session
        try:
            return session.compile(source, path).code
        except (SyntaxError, ValueError):
            raise
        except Exception as error:  # what we cannot instrument runs plain
            session.result.unread[path] = f"{type(error).__name__}: {error}"
            return super().get_code(fullname)


class UserModules:
    """Import hook: modules under `root` are instrumented; gone from sys.modules afterwards."""

    def __init__(self, session: Any, root: str) -> None:
        self.session = session
        self.root = root
        self.before: set[str] = set()
        self.displaced: dict[str, ModuleType] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """A spec for the user's own modules, None for all others."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or not is_user_file(spec.origin, self.root):
            return None
        loader = _Loader(spec.loader.name, spec.loader.path)
        loader.session = self.session
        spec.loader = loader
        self.session.recorder.user_modules.add(name)
        return spec

    def __enter__(self) -> UserModules:
        for name, module in list(sys.modules.items()):
            if name != "__main__" and is_user_file(getattr(module, "__file__", None), self.root):
                self.displaced[name] = sys.modules.pop(name)
        self.before = set(sys.modules)
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        for name in set(sys.modules) - self.before:
            if is_user_file(getattr(sys.modules[name], "__file__", None), self.root):
                del sys.modules[name]
        sys.modules.update(self.displaced)


class Environment:
    """What a script finds when it runs as `__main__`; everything is put back afterwards."""

    def __init__(self, path: str, args: Sequence[str], module: ModuleType) -> None:
        self.path = path
        self.args = args
        self.module = module

    def __enter__(self) -> Environment:
        absolute = os.path.abspath(self.path)
        self._saved: dict[str, Any] = {
            "argv": sys.argv,
            "path": list(sys.path),
            "main": sys.modules.get("__main__"),
            "stdin": sys.stdin,
            "input": builtins.input,
            "backend": os.environ.get("MPLBACKEND"),
        }
        vars(self.module).update(
            __file__=absolute, __builtins__=builtins, __loader__=SourceFileLoader("__main__", absolute), __cached__=None
        )
        sys.modules["__main__"] = self.module
        sys.argv = [self.path, *self.args]
        sys.path[:] = [os.path.dirname(os.path.realpath(absolute)), *sys.path]
        sys.stdin = io.StringIO("")
        builtins.input = _no_input
        if "MPLBACKEND" not in os.environ and "matplotlib.pyplot" not in sys.modules:
            os.environ["MPLBACKEND"] = BACKEND
        numpy = sys.modules.get("numpy")
        self._saved["errors"] = numpy.geterr() if numpy else None
        return self

    def __exit__(self, *_: object) -> None:
        saved = self._saved
        sys.argv, sys.path[:], sys.stdin = saved["argv"], saved["path"], saved["stdin"]
        builtins.input = saved["input"]
        if saved["main"] is not None:
            sys.modules["__main__"] = saved["main"]
        if saved["backend"] is None:
            os.environ.pop("MPLBACKEND", None)
        if saved["errors"] is not None:
            sys.modules["numpy"].seterr(**saved["errors"])


def _no_input(prompt: object = "", /) -> str:
    raise InputRefused("the script asks for input at the keyboard; give it a value in the script or an argument")


def scrub(error: BaseException) -> BaseException:
    """`error` with this package's own frames taken out of its traceback (and of those of its causes)."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        current.__traceback__ = _scrubbed(current.__traceback__)
        current = current.__cause__ or current.__context__
    return error


def _scrubbed(entry: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(_HERE):
            kept.append(entry)
        entry = entry.tb_next
    result: TracebackType | None = None
    for item in reversed(kept):
        result = TracebackType(result, item.tb_frame, item.tb_lasti, item.tb_lineno)
    return result
