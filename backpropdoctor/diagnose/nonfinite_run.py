"""Run a script with other text in the place of its files: the same path and arguments, not instrumented but for its loops."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..tape.instrument import Instrumented
from ..tape.run import MAX_BYTES, MAX_NODES, RunResult, Session, Stop
from ..tape.run_modules import Environment, UserModules, read_program, scrub


class _Edited(Session):
    """A session that compiles other text in the place of some files."""

    texts: Mapping[str, str] = {}

    def compile(self, source: str | bytes, path: str, **options: Any) -> Instrumented:
        """Instrument one file."""
        return super().compile(self.texts.get(os.path.realpath(path), source), path, **options)


def run_text(texts: Mapping[str, str], path: Any, args: Sequence[str], policy: Any, root: Any = None) -> RunResult:
    """Run the script `path` with `texts` in the place of the files they are named after; SyntaxError where one is no Python."""
    absolute = os.path.abspath(os.fspath(path))
    folder = os.path.abspath(root or os.path.dirname(absolute))
    session = _Edited(policy, read_program(absolute, folder), max_nodes=MAX_NODES, max_bytes=MAX_BYTES)
    session.texts = {os.path.realpath(file): text for file, text in texts.items()}
    for file, text in texts.items():
        compile(text, file, "exec", dont_inherit=True)
    code = session.compile(Path(absolute).read_bytes(), absolute).code
    module = ModuleType("__main__")
    result = session.result
    with Environment(os.fspath(path), args, module), UserModules(session, folder):
        try:
            exec(code, module.__dict__)
        except Stop:
            result.stopped = True
        except SystemExit:
            pass
        except BaseException as error:
            result.exception = scrub(error)
        finally:
            session.recorder.close()
    result.namespace = module.__dict__
    return result
