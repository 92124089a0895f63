"""What the causes are looked for in: the history of the parameters, their names, their places in the source, and a
poke."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...finding import Finding
from ...source import Span
from .history import History, Trail
from .names import Parts

What = Literal["update", "gradient", "creation"]


def nowhere(name: str, what: What) -> Span | None:
    """No place is known."""
    return None


def no_reason(names: list[str]) -> list[Finding]:
    """The source tells nothing."""
    return []


def no_poke(name: str) -> float | None:
    """The loss cannot be evaluated at other parameters."""
    return None


@dataclass(slots=True, eq=False)
class Scene:
    """A history with its surroundings. `explained` collects the parameters that a cause has been found for.

    `poke(name)` is how much the loss moves, relative to its noise, when the parameter is moved at random: 0 where it
    does not move at all, None where that cannot be tried. `paired` gives each parameter the name of its gradient.
    `because` reads in the source why parameters with a gradient never change; the findings' `tensors` are those it
    explains.
    """

    history: History
    parameters: dict[str, Parts]
    gradients: dict[str, Parts] = field(default_factory=dict)
    paired: dict[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    place: Callable[[str, What], Span | None] = nowhere
    poke: Callable[[str], float | None] = no_poke
    aliases: Sequence[tuple[str, str]] = ()
    container: str = ""  # what the user calls the gradients
    loss_name: str = "loss"
    because: Callable[[list[str]], list[Finding]] = no_reason
    factors: dict[str, float] = field(default_factory=dict)  # c of `update = -c * gradient`, where known beforehand
    explained: set[str] = field(default_factory=set)

    def trails(self) -> list[Trail]:
        """The parameters that should move and that nothing explains yet."""
        return [t for t in self.history.trails.values() if t.name not in self.explained and not is_frozen(t.name, self.frozen)]

    def explain(self, names: Iterable[str]) -> None:
        """No later cause speaks of these parameters."""
        self.explained.update(names)

    def grouped(self, names: Iterable[str], what: What) -> list[tuple[Span | None, list[str]]]:
        """The names by the place where `what` happens to them, in order."""
        found: dict[Span | None, list[str]] = {}
        for name in names:
            found.setdefault(self.place(name, what), []).append(name)
        return list(found.items())


def is_frozen(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of `patterns`, lies inside one (`enc` freezes `enc['W']`), or matches one with a
    wildcard."""
    for pattern in patterns:
        if name == pattern or name.startswith((f"{pattern}[", f"{pattern}.")):
            return True
        if any(c in pattern for c in "*?") and fnmatch.fnmatchcase(name, pattern):
            return True
    return False
