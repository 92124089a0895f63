"""Is a variant really wrong? Decided by the oracle's differences, never by what the mutation was meant to do."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from programs import Program
from programs import measure as m

from .mutate import Variant
from .rates import is_own_rate

TIME_LIMIT = 5  # seconds for one variant: a mutation may make a loop endless


@dataclass(frozen=True, slots=True)
class Decision:
    """severity 'error', 'warning' (one common factor), 'none' (cancels), 'undecided' or 'crash'; what is wrong."""

    severity: str
    wrong: tuple[str, ...] = ()
    reason: str = ""


def decide(program: Program, variant: Variant) -> Decision:
    """Run the variant for one training step, and for a second where the first shows no error."""
    try:
        with limited():
            steps = m.capture(program, variant.source, steps=1)
            first = m.judge_step(program, steps[0])
            if first.severity == "error" and is_own_rate(program, variant):
                return Decision("none", (), "a learning rate of its own")  # (before - after) / lr is no gradient there
            if first.severity == "error":
                return Decision("error", first.wrong)
            both = m.judge(program, variant.source, steps=2)
            return Decision(both.severity, both.wrong)
    except m.Crash as error:
        return Decision("crash", reason=str(error))


@contextlib.contextmanager
def limited(seconds: int = TIME_LIMIT) -> Iterator[None]:
    """Raise Crash in the block after `seconds`."""

    def stop(*_: object) -> None:
        raise m.Crash(f"still running after {seconds} s")

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
