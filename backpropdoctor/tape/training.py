"""What was found on a tape: the loss of one training step, its parameters with their gradients, the cotangents in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .adjoint import Adjoints, Claim, Tensor
from .replay import Objective, Replay
from .steps import Update
from .tape import Site


@dataclass(frozen=True, slots=True)
class LossFound:
    """The scalar that the gradients are held against. 'implied': a standard loss that the code never computes."""

    objective: Objective
    name: str
    site: Site | None
    value: float
    source: Literal["found", "declared", "implied"]
    nodes: frozenset[int] = frozenset()  # everything it depends on, canonical
    unpenalised: frozenset[int] = frozenset()  # the parameters of which it holds no penalty of its own
    sure: bool = False  # the backward pass itself says that it begins at this loss
    running: bool = False  # it goes on over several steps, as what is shown of an epoch does: its scale is none of a step's
    held_still: tuple[str, ...] = ()  # what the parameters move and is held still as data, each with its line


@dataclass(frozen=True, slots=True)
class Rival:
    """The loss of a script beside the standard one that its gradients fit, and what speaks for it.

    'target': it compares the output with other data; 'form': the same data, but it is another function that the gradients
    are meant for; 'none': it may be printed only.
    """

    loss: LossFound
    kind: Literal["target", "form", "none"]


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a gradient holds for value `node` besides that of the data: l2 * value + l1 * sign(value)."""

    node: int
    l2: float = 0.0
    l1: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A gradient the code holds: of which tensor, under which name, made by which statement, used with which factors."""

    claim: Claim
    name: str
    site: Site | None
    kind: Literal["parameter", "intermediate"]
    factors: tuple[tuple[float, str], ...] = ()
    divisors: tuple[tuple[float, str], ...] = ()  # of the factors those that are no learning rate by name
    coefficient: float | None = None  # update = -coefficient * gradient, where the update is that simple
    data: Claim | None = None  # the claim without the penalties on the weights that it holds
    penalties: tuple[Penalty, ...] = ()
    decays: bool = False  # whether the update makes the value smaller besides
    evidence: Literal["update", "company", "replaced"] = "update"  # what says that it is a parameter
    update: Update | None = None  # its update, where something else than that says so
    after: tuple[int, ...] = ()  # for each node of the tensor the canonical one after the whole step

    @property
    def data_claim(self) -> Claim:
        """What the code takes for the gradient of the data alone."""
        return self.data or self.claim

    @property
    def tensor(self) -> Tensor:
        return self.claim.tensor

    @property
    def node(self) -> int:
        """The node of the gradient (the last one, where it is made of several)."""
        return self.claim.gradient_nodes[-1]


@dataclass(slots=True)
class Training:
    """One step of a training loop, understood."""

    replay: Replay
    adjoints: Adjoints
    step: int
    loss: LossFound | None
    parameters: list[Held] = field(default_factory=list)
    intermediates: list[Held] = field(default_factory=list)
    rival: Rival | None = None
    same: LossFound | None = None  # the script's own loss of these data, which a standard one is but for penalties
    unpaired: list[str] = field(default_factory=list)  # parameters whose gradient was not found, one sentence each

    @property
    def origins(self) -> set[int]:
        """The canonical nodes of the parameters, as the forward pass reads them."""
        return {self.replay.canonical[i] for held in self.parameters for i in held.tensor.nodes}

    @property
    def end(self) -> int:
        """The number of nodes on the tape when the step was over and its loss known."""
        known = self.loss.nodes if self.loss is not None else ()
        return 1 + max((*known, *(i for held in self.parameters for i in (held.node, *held.after))), default=0)
