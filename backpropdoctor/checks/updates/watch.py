"""`watch_updates`: a watch around any training loop that compares the parameters bit by bit and says what never
changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from ...errors import InputError, UsageError
from ...finding import Finding
from ...tree import Path
from .causes.ratios import ratios
from .curves import with_curves
from .everyday import Everyday
from .frame import Surroundings, missing_key
from .history import History, Sample, copied
from .ladder import climb
from .names import pair
from .parameters import Held, gradient_leaves, held_by
from .scene import Scene

FIRST_STEPS = 6  # looked at one by one, whatever they cost: the causes that compare steps need consecutive ones
SHARE = 0.025  # of the loop's time that the watch may take afterwards when it chooses the steps itself


class watch_updates:  # noqa: N801 - a context manager that reads as a verb
    """Watch the parameters of a training loop, and find out which never change, and why.

    `params` is whatever holds them: a dict, list, tuple, dataclass, object, nested, or a function that returns it (for
    parameters that are rebound where no container sees it). `gradients` is what holds their gradients at the end of
    each step, if anything does. `expect_frozen` names parameters that are not trained: names, containers, or patterns
    with `*`.

    Call `step()` after each update, with `grads=` and `loss=` if at hand. `loss` is the number before the update, or a
    function of no arguments, called only to tell what a zero gradient means. Without `step()` the parameters at the
    start and at the end are compared.

    Each of the first 6 steps is looked at, then (`every=None`) as many as cost 2.5 % of the loop's time, or (`every=n`)
    one in n. The last state is compared in any case. `steps` and `looked_at` say how many there were.

    After the block `findings` holds what was found and `notes` what was assumed. Raises InputError where `params`
    holds no array or number.

    >>> import numpy as np
    >>> W, b = np.ones((2, 2)), np.zeros(2)
    >>> with watch_updates({"W": W, "b": b}) as watch:
    ...     for _ in range(3):
    ...         W -= 0.1 * W
    ...         watch.step(grads={"dW": W, "db": np.ones(2)})
    >>> watch.findings[0].message
    '`b` never changes although its gradient is not zero'
    """

    def __init__(
        self, params: Any, *, gradients: Any = None, expect_frozen: Iterable[str] = (), every: int | None = None
    ) -> None:
        if every is not None and every < 1:
            raise UsageError(f"`every` must be at least 1, not {every}")
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.steps = 0
        self.looked_at = 0
        self._params, self._gradients = params, gradients
        self._frozen = (expect_frozen,) if isinstance(expect_frozen, str) else tuple(expect_frozen)
        self._every = every
        self._next = 0
        self._spent = 0.0

    def __enter__(self) -> watch_updates:
        self._frame: FrameType | None = sys._getframe(1)
        self._held: Held = held_by(self._params, self._frame, self._gradients is not None)
        if not self._held.leaves:
            raise InputError("`params` holds no array and no number that could be trained")
        self._before = self._held.values()
        self._armed = True
        self._history = History(self._before)
        self._names: dict[str, str] = {}
        self._gradient_parts: dict[str, Any] = {}
        self._gradient_paths: dict[str, Path] = {}
        self._keys: frozenset[Any] | None = None  # of a flat dictionary of gradients, once they are paired
        self._quick: Everyday | None = None
        self._around = Surroundings(self._frame)
        if self._held.roots:
            self._held.trust = lambda: not self._around.mentions(self._held.roots)
        self._loss: Callable[[], Any] | None = None
        self._began = perf_counter()
        return self

    def step(self, grads: Any = None, loss: Any = None) -> None:
        """Say that one training step, update included, is done. `grads` are those it used, `loss` is the one before
        it."""
        k = self.steps
        self.steps = k + 1
        if k >= self._next:
            self._look(k, grads, loss)

    def _look(self, k: int, grads: Any, loss: Any) -> None:
        start = perf_counter()
        source = self._source(grads)
        if self._quick is not None and self._quick.look(k, source, self._armed):
            self.looked_at += self._armed
        else:
            self._look_fully(k, source, loss)
        now = perf_counter()
        self._spent += now - start
        self._plan(k, now - start, now - self._began)

    def _look_fully(self, k: int, source: Any, loss: Any) -> None:
        before = self._before if self._quick is None else self._quick.settle()
        after = self._held.values()
        if self._armed:
            found = self._gradients_now(source)
            value = self._loss_now(loss)
            self._history.add(Sample(k, before, after, found, value))
            self.looked_at += 1
        self._before = after
        self._quick = None
        if self._armed and k + 1 > FIRST_STEPS:  # one more than the samples, for the loss after the last of them
            paths = {p: self._gradient_paths[g] for p, g in self._names.items() if g in self._gradient_paths}
            self._quick = Everyday.after(self._held, self._history, after, source, paths)

    def _plan(self, k: int, cost: float, elapsed: float) -> None:
        """Choose the next step to look at; two in a row each time, the first only to know what was before."""
        if k + 1 < FIRST_STEPS or not self._armed:
            self._next, self._armed = k + 1, True
        elif self._every is not None:
            gap = self._every
            self._next, self._armed = (k + 1, True) if gap == 1 else (k + gap - 1, False)
        else:
            step_time = max((elapsed - self._spent) / (k + 1), 1e-9)
            owed = max(self._spent + 2 * cost - SHARE * elapsed, 0.0) / SHARE
            gap = min(int(owed / step_time) + 1, 1 + 4 * k)
            self._next, self._armed = (k + 1, True) if gap <= 1 else (k + gap, False)

    def _source(self, grads: Any) -> Any:
        source = grads if grads is not None else self._gradients
        return source() if callable(source) and not hasattr(source, "__dict__") else source

    def _gradients_now(self, source: Any) -> dict[str, np.ndarray]:
        if self._keys is not None and type(source) is dict and source.keys() == self._keys:
            return {p: copied(source[self._gradient_paths[g][0].key]) for p, g in self._names.items()}
        leaves = self._held.own_gradients() if source is None else gradient_leaves(source)
        self._gradient_paths = {leaf.name: leaf.paths[0] for leaf in leaves}
        parts = {leaf.name: leaf.parts for leaf in leaves}
        if parts.keys() - self._gradient_parts.keys():
            self._gradient_parts.update(parts)
            self._names = pair(self._held.parts, self._gradient_parts)
        values = {leaf.name: leaf.value for leaf in leaves}
        flat = type(source) is dict and bool(self._names) and all(type(v) is np.ndarray for v in source.values())
        self._keys = frozenset(source) if flat and parts.keys() == self._gradient_parts.keys() else None
        return {p: copied(values[g]) for p, g in self._names.items() if g in values}

    def _loss_now(self, loss: Any) -> float | None:
        if callable(loss):
            self._loss, loss = loss, None  # called only to decide about a zero gradient
        return None if loss is None or np.size(loss) != 1 else float(np.reshape(loss, ()))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None or not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            self._conclude(error)
        self._frame = self._held.frame = None

    def _conclude(self, error: BaseException | None) -> None:
        self._history.steps = self.steps
        if self._quick is not None:
            self._quick.settle()
        self._history.finish(self._held.values())
        if isinstance(error, KeyError):
            self.findings += missing_key(error)
        if error is None:
            self.findings += with_curves(climb(self._scene()), self._history)
        if self._history.nonfinite is not None:
            step, name = self._history.nonfinite
            self.notes.append(f"`{name}` is not finite in step {step}: `trace_nonfinite` finds where that begins")
        if self.steps > self.looked_at:
            self.notes.append(f"{self.looked_at} of {self.steps} steps were looked at, and the first and last state")

    def _scene(self) -> Scene:
        return Scene(
            history=self._history,
            parameters=self._held.parts,
            gradients=self._gradient_parts,
            paired=self._names,
            frozen=self._frozen,
            place=self._around.place(self._held.parts, self._gradient_places),
            poke=self._poke,
            aliases=self._held.aliases(),
            because=self._around.because(self._held),
        )

    def _gradient_places(self) -> dict[str, Any]:
        return {p: self._gradient_parts[g] for p, g in self._names.items()}

    def _poke(self, name: str) -> float | None:
        """How far the loss moves when an array is moved at random, in place and back."""
        array = self._held.current(name)
        if self._loss is None or not isinstance(array, np.ndarray) or array.dtype.kind != "f" or not array.flags.writeable:
            return None
        kept = array.copy()
        noise = np.asarray(np.random.default_rng(0).standard_normal(array.shape))
        scale = 0.01 * (float(np.max(np.abs(kept))) if kept.any() else 1.0)
        try:
            base = [float(np.reshape(self._loss(), ())) for _ in range(3)]
            array[...] = kept + (scale * noise).astype(array.dtype)
            moved = float(np.reshape(self._loss(), ()))
        finally:
            array[...] = kept
        if not np.isfinite([*base, moved]).all():
            return None
        spread = max(base) - min(base)
        if spread:
            return None  # the loss is random: nothing can be said
        return 0.0 if moved == base[0] else 2.0

    @property
    def ratios(self) -> dict[str, float]:
        """log10 of the median of |change| / |value| per weight: advice, not a verdict."""
        return ratios(self._history)
