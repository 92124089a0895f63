"""`trace_nonfinite()`: the watch around any code, which warns at its end."""

from __future__ import annotations

import warnings
from types import TracebackType

from .birth import finding_of
from .watch import NonfiniteWatch


class NonFiniteWarning(RuntimeWarning):
    """A non-finite value reached the loss or a parameter while `trace_nonfinite()` watched."""


class trace_nonfinite(NonfiniteWatch):  # noqa: N801  a function to whoever calls it
    """Watch any training loop for NaN and infinity, as `with trace_nonfinite():` or as the decorator `@trace_nonfinite()`.

    At the end of the block, where something non-finite reached the loss or a parameter, a `NonFiniteWarning` says where
    it was born; `.findings` has it all, `.ok` is True where there is nothing to say. With `raises=True` a
    `NonFiniteError` is raised instead, at the next operation that is flagged or at the end of the block. `on_finding` is
    called with the finding at once, in the place of the warning. `replay=False` forgoes the copy of the block's variables
    that is made at its start, and with it the second run that finds what NumPy raises no flag for (einsum, NaN in the
    data, Python floats).
    `reproduce=FOLDER` runs the block a second time where there was something, writes a script there that repeats the step of
    the NaN from the values it was given, and keeps the parameters before that step, in `.last_good` too.

    >>> import numpy as np, backpropdoctor as bd
    >>> with bd.trace_nonfinite(on_finding=lambda finding: None) as trace, np.errstate(all="ignore"):
    ...     pass
    >>> trace.ok
    True
    """

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, error, trace)
        alarm = self.alarm
        if alarm is not None and not self.raises and self.on_finding is None:
            finding = finding_of(alarm)
            text = "; ".join(part for part in (finding.message, finding.measured, self.reproducer) if part)
            warnings.warn(text, NonFiniteWarning, stacklevel=2 if self._call is None else 3)
