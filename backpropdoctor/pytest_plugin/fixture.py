"""The fixture `doctor`, and what the marker `backprop` has checked before a test runs."""

from __future__ import annotations

import os
from typing import Any

import pytest

from .. import api, asserts
from ..report.report import Report
from .outcome import MARKED, REPORTS

_DOCTOR: pytest.StashKey[Doctor] = pytest.StashKey()


class Doctor:
    """The public functions for one test. Each report is kept in `reports`, and told to JUnit.

    A check returns its report and fails nothing; the assertions are those of the package.
    """

    def __init__(self, reports: list[Report]) -> None:
        self.reports = reports

    @property
    def report(self) -> Report | None:
        """The latest report; that of the marker before any other check."""
        return self.reports[-1] if self.reports else None

    def _kept(self, report: Report) -> Report:
        self.reports.append(report)
        return report

    def _kept_if_report(self, result: Any) -> Any:
        return self._kept(result) if isinstance(result, Report) else result

    def check(self, target: Any, *args: Any, **options: Any) -> Report:
        """`backpropdoctor.check`."""
        return self._kept(api.check(target, *args, **options))

    def check_gradient(self, loss: Any, gradient: Any, params: Any, **options: Any) -> Report:
        """`backpropdoctor.check_gradient`."""
        return self._kept(api.check_gradient(loss, gradient, params, **options))

    def check_layer(self, forward: Any, backward: Any, *inputs: Any, **options: Any) -> Report:
        """`backpropdoctor.check_layer`."""
        return self._kept(api.check_layer(forward, backward, *inputs, **options))

    def assert_gradients(self, target: Any, *args: Any, **options: Any) -> Report:
        """`backpropdoctor.assert_gradients`."""
        __tracebackhide__ = True
        return self._kept(asserts.assert_gradients(target, *args, **options))

    def assert_layer(self, forward: Any, *args: Any, **options: Any) -> Report:
        """`backpropdoctor.assert_layer`."""
        __tracebackhide__ = True
        return self._kept(asserts.assert_layer(forward, *args, **options))

    def assert_finite(self, target: Any = None, *args: Any, **options: Any) -> Any:
        """`backpropdoctor.assert_finite`."""
        __tracebackhide__ = True
        return self._kept_if_report(asserts.assert_finite(target, *args, **options))

    def assert_updates(self, params: Any, **options: Any) -> Any:
        """`backpropdoctor.assert_updates`."""
        __tracebackhide__ = True
        return self._kept_if_report(asserts.assert_updates(params, **options))

    def explain(self, code: str) -> str:
        """`backpropdoctor.explain`."""
        return api.explain(code)


def doctor_of(item: pytest.Item) -> Doctor:
    """The doctor of a test: one and the same for its fixture and its markers."""
    if _DOCTOR not in item.stash:
        item.stash[_DOCTOR] = Doctor(item.stash.setdefault(REPORTS, []))
    return item.stash[_DOCTOR]


def check_marked(item: pytest.Item) -> None:
    """Checks the target of the closest marker `backprop` and fails the test where it is not healthy."""
    __tracebackhide__ = True
    marker = item.get_closest_marker("backprop")
    assert marker is not None
    target, *rest = marker.args
    options = {key: value for key, value in marker.kwargs.items() if key != "strict"}
    if isinstance(target, (str, os.PathLike)):
        target = os.path.relpath(os.path.join(item.path.parent, target))
    try:
        asserts.settle(doctor_of(item).check(target, *rest, **options))
    except asserts.CheckFailed as error:
        item.stash[MARKED] = error
        raise
