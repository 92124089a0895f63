"""The notebook: `%load_ext backpropdoctor` gives `%%doctor`, which checks the cell under it, and `%doctor`."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, NoReturn

from ..errors import BackpropDoctorError, UsageError

USAGE = (
    "`%doctor explain [CODE]`, `%doctor check PATH [--loss NAME] [--params NAMES]`, "
    "and `%%doctor [--loss NAME] [--params NAMES]` over a cell"
)


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext backpropdoctor`; `shell` is IPython's."""

    def doctor(line: str, cell: str | None = None) -> Any:
        """Check hand-written backpropagation.

        %%doctor                   record the cell under it, with the functions of earlier cells, and show the report
        %doctor explain BD102      the page of a rule; without a code, the list of rules
        %doctor check train.py     check a script or a module beside the notebook
        """
        __tracebackhide__ = True
        words = shlex.split(line)
        try:
            return _line(words) if cell is None else _cell(shell, words, cell)
        except BackpropDoctorError as error:
            from IPython.core.error import UsageError as ShownInOneLine

            raise ShownInOneLine(str(error)) from error

    shell.register_magic_function(doctor, magic_kind="line_cell", magic_name="doctor")


def unload_ipython_extension(shell: Any) -> None:
    """Called by `%unload_ext backpropdoctor`."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("doctor", None)


def _cell(shell: Any, words: list[str], cell: str) -> Any:
    __tracebackhide__ = True
    from .cell import check_cell

    return check_cell(shell, cell, **_options(words, path=False))


def _line(words: list[str]) -> Any:
    from .. import api
    from .pages import RuleIndex, RulePage

    match words:
        case ["explain"]:
            return RuleIndex()
        case ["explain", code]:
            api.explain(code)  # says which codes there are where it is none
            return RulePage(code)
        case ["check", *rest]:
            options = _options(rest, path=True)
            return api.check(options.pop("path"), **options)
    raise UsageError(f"there are: {USAGE}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; there are: {USAGE}")


def _options(words: list[str], *, path: bool) -> dict[str, Any]:
    parser = _Parser(prog="doctor", add_help=False)
    if path:
        parser.add_argument("path")
    parser.add_argument("--loss")
    parser.add_argument("--params")
    found = vars(parser.parse_args(words))
    if found["params"] is not None:
        found["params"] = [name.strip() for name in found["params"].split(",") if name.strip()]
    return found
