"""Run a program again without its output and without its files."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No output, and files opened for writing go to a folder that is thrown away."""
    real = builtins.open
    with tempfile.TemporaryDirectory() as folder:

        def harmless(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
            if isinstance(file, (str, os.PathLike)) and any(m in mode for m in "wax+"):
                file = os.path.join(folder, os.path.basename(os.fspath(file)))
            return real(file, mode, *rest, **options)

        builtins.open = harmless  # type: ignore[assignment]
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            builtins.open = real
            sys.stdout.flush()
