"""What every test can count on: no windows, one thread a worker, the same random examples, the programs by name."""

from __future__ import annotations

import os

# before NumPy is loaded: threads of several workers that wait for one another make a test ten times slower
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from fixture_pieces import FOLDER, Pieces, pieces_of  # noqa: E402

import backpropdoctor as bd  # noqa: E402

pytest_plugins = ["pytester"]

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
    settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """Here an undecided check that no test expects is a failure."""
    config.option.backprop_strict = True


@pytest.fixture
def checked(tmp_path: Path) -> Callable[[str], bd.Report]:
    """What the check of a script says, given its text."""

    def check(source: str) -> bd.Report:
        path = tmp_path / "train.py"
        path.write_text(source)
        return bd.check(str(path))

    return check


@pytest.fixture
def proven(checked: Callable[[str], bd.Report]) -> Callable[[str], list[int | None]]:
    """The lines of the errors in a script, given its text, each with all of its explanations verified."""

    def lines(source: str) -> list[int | None]:
        errors = [f for f in checked(source).findings if f.severity == "error"]
        assert all(e.status == "verified" for f in errors for e in f.explanations)
        return [f.line for f in errors]

    return lines


@pytest.fixture
def fixtures_folder() -> Path:
    return FOLDER


@pytest.fixture
def pieces() -> Callable[[str], Pieces]:
    """`pieces("two_layer_digits")` gives that program's loss, gradient and parameters as plain callables and a dict."""
    return pieces_of
