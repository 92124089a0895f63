"""Names: bindings of variables."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from .instrument_spec import BindSpec
from .record_augmented import Augmented
from .record_stores import MAX_ELEMENTS
from .record_values import name_place, trackable

_frame = sys._getframe


class Names(Augmented):
    """The hooks for names and stores."""

    def hooks(self) -> dict[str, Any]:
        """The hooks by name; each leaves the program alone if the recorder is off or at fault."""
        names = ["E", "N", "TB", "R", "V", "PA", "PS", "ST", "OLD", "PV", "AF", "BS", "KY", "SK"]
        return {name: getattr(self, f"make_{name.lower()}")() for name in names}

    def _bind(self, frame: FrameType, scope: int, spec: BindSpec, name: str, value: Any) -> None:
        place = name_place(frame, scope, name)
        self.recorder.bind(scope, place, name, (name,), value, spec.site, spec.how)
        self._elements(scope, spec, name, (name,), value)

    def make_e(self) -> Any:
        recorder = self.recorder

        def E(spec: BindSpec, *values: Any) -> bool:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.enter(frame, spec.site.function).scope
                    for name, value in zip(spec.names, values, strict=True):
                        self._bind(frame, scope, spec, name, value)
            return True

        return E

    def make_n(self) -> Any:
        recorder = self.recorder

        def N(spec: BindSpec, value: Any) -> Any:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    self._bind(frame, recorder.scope(frame), spec, spec.names[0], value)
            return value

        return N

    def make_tb(self) -> Any:
        recorder = self.recorder

        def TB(spec: BindSpec, *values: Any) -> None:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.scope(frame)
                    for name, value in zip(spec.names, values, strict=True):
                        self._bind(frame, scope, spec, name, value)

        return TB

    def make_r(self) -> Any:
        recorder = self.recorder

        def R(spec: BindSpec, value: Any) -> Any:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.scope(frame)
                    name = spec.names[0]
                    if trackable(value):
                        recorder.bind(scope, ("return", scope), name, (name,), value, spec.site, "return")
                    elif type(value) is tuple and len(value) <= MAX_ELEMENTS:
                        for i, item in enumerate(value):
                            if trackable(item):
                                place = ("return", scope, i)
                                recorder.bind(scope, place, f"{name}()[{i}]", (name, i), item, spec.site, "return")
            return value

        return R
