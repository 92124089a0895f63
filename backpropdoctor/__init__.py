"""backpropdoctor: point it at hand-written backprop that does not work; it names the wrong line and proves the edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> module that defines it; nothing is imported before a name is used
_WHERE = {
    "check": "api",
    "check_gradient": "api",
    "check_layer": "api",
    "derivative": "api",
    "explain": "api",
    "case": "api",
    "trace_nonfinite": "api",
    "watch_updates": "api",
    "Report": "report.report",
    "assert_gradients": "asserts",
    "assert_layer": "asserts",
    "assert_finite": "asserts",
    "assert_updates": "asserts",
}

__all__ = ["__version__", *_WHERE]

# what IPython looks for on `%load_ext backpropdoctor`
_EXTENSION = dict.fromkeys(("load_ipython_extension", "unload_ipython_extension"), "notebook")

if TYPE_CHECKING:
    from .api import (  # noqa: F401
        case,
        check,
        check_gradient,
        check_layer,
        derivative,
        explain,
    )
    from .report.report import Report  # noqa: F401


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name) or _EXTENSION.get(name)
    if where is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
