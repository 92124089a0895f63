"""A list of layers with a loss as one function of all its tensors, and as its steps alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..finding import Finding, Loss
from ..model import Loaded, Model, Stack, Tensor, Values
from ..tree import Leaf
from .arrays import gradient_array
from .calling import UserCodeError, span_of_function
from .chain import Chain, Step, output_of
from .claims import Claim, claims_of
from .layers import update_error
from .loss_step import LossStep, methods_of
from .pairing import fitted
from .results import raised
from .subject import Subject
from .validate import fault_of, summary, unchecked


def load_stack(layers: Sequence[Any], loss: Any, x: Any, y: Any, *, name: str | None = None) -> Loaded:
    """What can be checked of a list of layers trained with a loss on the batch (x, y).

    Raises InputError where a member of the list has no forward and backward pass, or the loss no gradient.
    """
    loaded = Loaded(target=name or "layers")
    pairs = [_pair(layer, i) for i, layer in enumerate(layers)]
    if not pairs:
        loaded.stop("BD001", "`layers` is empty", help="pass the layers in the order of the forward pass")
        return loaded
    chain = Chain(layers, pairs, LossStep(loss), x, y)
    try:
        _load(loaded, chain)
    except UserCodeError as error:
        backward = {*(s.backward_name for s in chain.subjects), chain.loss.backward_name}
        loaded.cannot(raised(error, "BD402" if error.function in backward else "BD401"))
    return loaded


def _pair(layer: Any, i: int) -> tuple[Any, Any]:
    found = methods_of(layer)
    if found is None:
        raise InputError(
            f"`layers[{i}]` ({type(layer).__name__}) has no forward and backward pass",
            help="give it methods `forward` and `backward`, or pass a pair (forward, backward)",
        )
    return found


def _load(loaded: Loaded, chain: Chain) -> None:
    if not isinstance(chain.x, np.ndarray) or fault_of(Leaf("x", ((),), chain.x), "input") is not None:
        fault = fault_of(Leaf("x", ((),), np.asarray(chain.x)), "input")
        if fault is not None and fault.code != "BD407":
            loaded.cannot(fault)
            return
    steps, result, value = chain.real()
    if value is None or not np.isfinite(np.real(value)):
        words = f"returned {summary(result)}, not one number" if value is None else f"is {value} at these parameters"
        loaded.stop(
            "BD403" if value is None else "BD409",
            f"`{chain.loss.name}` {words}",
            span=span_of_function(chain.loss.forward),
        )
        return
    loaded.loss = Loss(
        name=chain.loss.name,
        value=float(np.real(value)),
        source="declared",
        line=getattr(span_of_function(chain.loss.forward), "line", None),
    )
    for subject in chain.subjects:  # look once at what the forward pass overwrites: that is no parameter
        subject.run({})
    models = [_loss_model(loaded, chain, steps[-1])]
    for i in reversed(range(len(chain.subjects))):
        if steps[i].received is None:
            _cut(loaded, chain, i, steps)
            break
        models.append(_layer_model(loaded, chain, i, steps[i]))
    _assemble(loaded, chain, [m for m in models if m is not None])


def _assemble(loaded: Loaded, chain: Chain, models: list[Model]) -> None:
    tensors = tuple(t for m in models for t in m.tensors)
    if not tensors:
        if not loaded.findings:
            loaded.stop("BD001", "no layer gave a gradient", help="return the gradients, or keep them as `self.dW`")
        return
    whole = Model(
        target=loaded.target,
        tensors=tensors,
        objective=chain.loss_at,
        loss=loaded.loss,
        source="the backward pass",
        forward=f"`{chain.loss.name}`",
        uniform="error",
        free_scale=any(m.free_scale for m in models),
    )
    loaded.stacks.append(Stack(whole=whole, local=tuple(models)))


def _cut(loaded: Loaded, chain: Chain, i: int, steps: list[Step]) -> None:
    """Say why the backward pass got no further than this layer."""
    if i == len(chain.subjects) - 1:
        giver, got, span = (
            chain.loss.backward_name,
            steps[-1].received,
            span_of_function(chain.loss.backward or chain.loss.forward),
        )
    else:
        subject, run = chain.subjects[i + 1], steps[i + 1].run
        giver, span, got = subject.backward_name, span_of_function(subject.backward), run.pulled if run else None
    shape = np.shape(output_of(steps[i]))
    what = "no gradient" if got is None else summary(got)
    loaded.stop(
        "BD404",
        f"`{giver}` returned {what}, and the output of `layers[{i}]` has shape {shape}",
        span=span,
        help="return the gradient by the input, in the shape of the input",
    )


def _loss_model(loaded: Loaded, chain: Chain, last: Step) -> Model | None:
    key: tuple[Hashable, ...] = (len(chain.layers), "input", ())
    g = None if last.received is None else fitted(last.received, last.given)
    if g is None or g.dtype.kind != "f" or not np.isfinite(g).all():
        return None
    span = span_of_function(chain.loss.backward or chain.loss.forward)
    tensor = Tensor(
        key,
        f"output of layers[{len(chain.layers) - 1}]",
        np.asarray(last.given),
        np.array(g),
        f"{chain.loss.backward_name}(…)",
        "intermediate",
        None,
        span.line if span else None,
    )
    return Model(
        target=chain.loss.name,
        tensors=(tensor,),
        objective=chain.loss_at,
        source=f"`{chain.loss.backward_name}`",
        span=span,
        layer="loss",
        forward=f"`{chain.loss.name}`",
        loss=loaded.loss,
    )


def _layer_model(loaded: Loaded, chain: Chain, i: int, step: Step) -> Model | None:
    subject, run = chain.subjects[i], step.run
    assert run is not None
    claims = claims_of(subject, run)
    span = span_of_function(subject.backward)
    label = f"layers[{i}]"
    for leaf in claims.missing:
        loaded.say(
            "BD405",
            f"`{subject.backward_name}` gives no gradient for `{label}.{leaf.name}`",
            span=span,
            layer=label,
            tensors=(f"{label}.{leaf.name}",),
            help=f"keep `self.d{leaf.name}`",
        )
        loaded.checked.append(unchecked(leaf, "no gradient was given for it"))
    tensors = [t for t in (_tensor(loaded, subject, claim, i, span) for claim in claims.found) if t is not None]
    function = LocalFunction(subject, i)
    return Model(
        target=label,
        tensors=tuple(tensors),
        objective=function.objective,
        source=f"`{subject.backward_name}`",
        span=span,
        layer=f"{label} ({type(chain.layers[i]).__name__})",
        forward=f"`{subject.forward_name}`",
        free_scale=subject.rate is None,
    )


def _tensor(loaded: Loaded, subject: Subject, claim: Claim, i: int, span: Any) -> Tensor | None:
    """A claim of layer i under the keys of the whole."""
    value, own = np.asarray(claim.leaf.value), claim.kind == "parameter"
    if value.dtype.kind != "f" or value.size == 0:
        return None
    name = f"layers[{i}].{claim.leaf.name}" if own else f"output of layers[{i - 1}]" if i else "x"
    g = gradient_array(claim.gradient, value, origin=claim.origin, name=name, span=span, layer=f"layers[{i}]")
    if isinstance(g, Finding):
        loaded.findings.append(g)
        return None
    key = (i, claim.kind, claim.leaf.paths[0] if own else ())
    kind: Any = "parameter" if own else "intermediate" if i else "input"
    error = update_error(claim, subject) if claim.from_update else None
    return Tensor(key, name, value, g, claim.origin, kind, error, span.line if span else None, claim.from_update)


class LocalFunction:
    """<v, output> of one layer with the cotangent it received, under the keys of the whole."""

    def __init__(self, subject: Subject, layer: int) -> None:
        self.subject, self.layer = subject, layer

    def objective(self, values: Values) -> complex:
        """The scalar at these values."""
        own: dict[Hashable, Any] = {(k[1], k[2] or self._input()): v for k, v in values.items() if k[0] == self.layer}  # type: ignore[index]
        return self.subject.objective(own)

    def _input(self) -> Any:
        return self.subject.input_leaves[0].paths[0]
