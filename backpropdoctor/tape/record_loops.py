"""The hooks of loops: at each iteration the policy chooses between the recorded and the plain body."""

from __future__ import annotations

import itertools
import sys
import threading
from typing import Any

from .instrument_spec import Loop
from .record import Recorder
from .tape import Iteration

_frame = sys._getframe


class LoopRun:
    """One run of one loop."""

    __slots__ = ("loop", "instance", "number", "outer")

    def __init__(self, loop: Loop, instance: int, outer: bool) -> None:
        self.loop = loop
        self.instance = instance
        self.number = 0
        self.outer = outer


def loop_hooks(recorder: Recorder, policy: Any, stop: type[BaseException]) -> dict[str, Any]:
    """LOOP before a loop, STEP at the start of each iteration, END after it."""
    runs: dict[tuple[int, int], LoopRun] = {}
    instances = itertools.count()
    tape = recorder.tape

    def LOOP(loop: Loop) -> None:
        frame = _frame(1)
        if not recorder.on and frame.f_code.co_name != "<module>" and not any(k[0] == id(frame) for k in runs):
            # a frame of the past may have had this address
            recorder.activations.pop(id(frame), None)
        runs[id(frame), loop.site.id] = LoopRun(loop, next(instances), recorder.on)

    def STEP(loop: Loop) -> bool:
        frame = _frame(1)
        run = runs.get((id(frame), loop.site.id))
        if run is None or recorder.closed or not tape.complete or threading.get_ident() != recorder.thread:
            return False
        if recorder.stopping:  # in a `finally` on the way out; or somebody swallowed the stop
            if isinstance(sys.exc_info()[1], stop):
                return False
            raise stop
        number = run.number
        run.number = number + 1
        try:
            wanted = policy.begin(loop.site, run.instance, number, tape)
        except stop:
            recorder.stopping = True
            recorder.on = False  # what the program does on its way out is no part of the record
            raise
        if not wanted:
            if recorder.on:
                recorder.pause()
            return False
        if not recorder.on:
            recorder.start()
        scope = recorder.scope(frame)
        tape.iterations.append(Iteration(len(tape.nodes), loop.site, run.instance, number, scope))
        return recorder.on

    def END(loop: Loop) -> None:
        run = runs.pop((id(_frame(1)), loop.site.id), None)
        if run is None or recorder.closed or threading.get_ident() != recorder.thread:
            return
        if recorder.stopping:
            return
        if recorder.on and not run.outer:
            recorder.pause()
        elif run.outer and not recorder.on:
            recorder.start()
        pending = sys.exc_info()[1]  # the loop is left by an exception of the user's: it goes on
        try:
            policy.end(loop.site, run.instance, run.number, tape)
        except stop:
            recorder.stopping, recorder.on = True, False
            if pending is None or isinstance(pending, stop):
                raise

    return {"LOOP": LOOP, "STEP": STEP, "END": END}
