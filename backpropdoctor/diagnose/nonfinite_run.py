"""Run other text in the place of a script: the same path, arguments and modules, not instrumented but for its loops."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ..tape.run import MAX_BYTES, MAX_NODES, RunResult, Session, Stop
from ..tape.run_modules import Environment, UserModules, read_program, scrub


def run_text(text: str, path: Any, args: Sequence[str], policy: Any, root: Any = None) -> RunResult:
    """Run `text` as the script `path`; raises SyntaxError where it is not Python."""
    absolute = os.path.abspath(os.fspath(path))
    folder = os.path.abspath(root or os.path.dirname(absolute))
    session = Session(policy, read_program(absolute, folder), max_nodes=MAX_NODES, max_bytes=MAX_BYTES)
    code = session.compile(text, absolute).code
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
