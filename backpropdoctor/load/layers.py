"""A forward and a backward pass made into a Model: the scalar <v, outputs>, with what backward returns for v."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from ..finding import Finding, make_finding
from ..model import Loaded, Model, Tensor
from ..tree import Leaf
from .arrays import gradient_array
from .calling import UserCodeError, name_of, signature_of, span_of_function
from .claims import Claim, LayerFunctions, claims_of
from .plans import Plan, plan_of
from .results import raised
from .subject import Run, Subject
from .validate import fault_of, summary, unchecked


def load_layer(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: tuple[Any, ...],
    *,
    params: Any = None,
    name: str | None = None,
    seed: int = 0,
) -> Loaded:
    """What can be checked of `backward` as the vector-Jacobian product of `forward` at `inputs`.

    Raises InputError where the call makes no sense (no functions, a number of inputs that forward does not take).
    """
    for function, word in ((forward, "forward"), (backward, "backward")):
        if not callable(function):
            raise InputError(f"`{word}` is a {type(function).__name__}, not a function", help="pass the function itself")
    subject = Subject(forward, backward, inputs, params)
    _takes(subject)
    loaded = Loaded(target=name or (type(subject.owner).__name__ if subject.owner is not None else name_of(forward, "forward")))
    loaded.cleanups.append(subject.restore)
    try:
        _load(loaded, subject, seed)
    except UserCodeError as error:
        loaded.cannot(raised(error, "BD402" if error.function == subject.backward_name else "BD401"))
        loaded.checked += [unchecked(leaf, str(error), kind) for kind, leaf in subject.wanted()]
    finally:
        changed = subject.restore()
    _changes(loaded, subject, changed)
    return loaded


def _takes(subject: Subject) -> None:
    signature = signature_of(subject.forward)
    if signature.known and not signature.takes(len(subject.inputs)):
        listed = ", ".join(signature.names[: max(signature.required, 1)])
        raise InputError(
            f"`{subject.forward_name}({listed})` needs {signature.required} inputs, not {len(subject.inputs)}",
            help="pass all inputs of the forward pass after the two functions",
        )


def _load(loaded: Loaded, subject: Subject, seed: int) -> None:
    if not _sound(loaded, subject):
        return
    first = subject.run({})
    _held_still(loaded, subject, first)
    if first.result is None or not first.parts:
        loaded.stop(
            "BD415",
            f"`{subject.forward_name}` returned None",
            help="return the output",
            span=span_of_function(subject.forward),
        )
        return
    plan = plan_of(subject.forward, subject.backward, first.parts, subject.input_names)
    if isinstance(plan, str):
        loaded.stop(
            "BD006",
            f"`{subject.backward_name}` {plan}",
            span=span_of_function(subject.backward),
            help=("name the arguments by what they are (`dout`, `cache`, or as in the forward pass), or wrap it"),
        )
        return
    fault = _outputs_fault(subject, plan, first)
    if fault is not None:
        loaded.cannot(fault)
        return
    subject.prepare(plan, first, seed)
    run = subject.run({}, pull=True)
    tensors = _tensors(loaded, subject, run)
    if tensors:
        loaded.models.append(_model(loaded, subject, tensors))
    elif not loaded.findings:
        loaded.stop(
            "BD001",
            f"`{subject.backward_name}` returned no gradient for any input or parameter",
            span=span_of_function(subject.backward),
            help="return the gradients",
        )


def _sound(loaded: Loaded, subject: Subject) -> bool:
    """Whether something is there to be checked; what cannot be becomes a finding and is left alone."""
    for kind, leaf in list(subject.wanted()):
        fault = fault_of(leaf, kind)
        if fault is None or (fault.code == "BD407" and np.asarray(leaf.value).dtype.kind in "iub"):
            continue
        loaded.findings.append(fault)
        subject.skipped.add(subject.key(kind, leaf))
        if fault.code != "BD412":
            loaded.checked.append(unchecked(leaf, fault.message, kind))
            if fault.code == "BD408":
                loaded.incomplete.append(fault.message)
                return False
    return True


def _held_still(loaded: Loaded, subject: Subject, first: Run) -> None:
    """Test for random numbers; the global generators are held still from here on."""
    spread = _spread(first, subject.run({}))
    if not spread > 0:
        return
    subject.hold()
    held, again = subject.run({}), subject.run({})
    if _spread(held, again) > 0:
        return  # the check itself finds it random, and says so
    first.parts, first.result = held.parts, held.result
    loaded.say(
        "BD901",
        f"`{subject.forward_name}` is random: two calls on the same input differ by {spread:.2g}",
        span=span_of_function(subject.forward),
        evidence={"spread": spread},
        measured=("checked with NumPy's and Python's global random generators held still"),
        help="the verdicts hold for one draw; seed the generator for a check that can be repeated",
    )


def _spread(a: Run, b: Run) -> float:
    from ..numeric.determinism import compare_results

    repeat = compare_results(list(a.parts[:1]), list(b.parts[:1]))
    return 0.0 if repeat.same or repeat.relative <= 1e-11 else repeat.spread


def _outputs_fault(subject: Subject, plan: Plan, first: Run) -> Finding | None:
    span = span_of_function(subject.forward)
    for i in range(plan.outputs):
        leaves = subject.output_leaves(first.parts[i])
        if not leaves:
            what = summary(first.parts[i])
            return make_finding("BD415", f"`{subject.forward_name}` returned {what} where an output should be", span=span)
        for leaf in leaves:
            array = np.asarray(leaf.value)
            if array.dtype.kind not in "fc":
                return make_finding(
                    "BD415",
                    f"`{subject.forward_name}` returned {array.dtype} numbers, not floating-point ones",
                    span=span,
                    help="the output of a layer is floating point",
                )
            if not np.isfinite(array).all():
                return make_finding(
                    "BD409",
                    f"the output of `{subject.forward_name}` is not finite at these inputs",
                    span=span,
                    help="check at inputs where it is",
                )
    if not any(a.role == "cotangent" for a in plan.arguments) and not plan.pointwise and np.size(first.parts[0]) != 1:
        return make_finding(
            "BD006",
            f"`{subject.backward_name}` takes no gradient of the output, and the output is no single number",
            span=span_of_function(subject.backward),
            help="let it take the gradient of the output",
        )
    return None


def _tensors(loaded: Loaded, subject: Subject, run: Run) -> list[Tensor]:
    claims = claims_of(subject, run)
    span = span_of_function(subject.backward)
    if claims.ambiguous:
        loaded.stop(
            "BD003",
            f"`{subject.backward_name}`: {claims.ambiguous}",
            span=span,
            help=("return a dict with the names of the inputs, or name what is returned: `return dx, dw, db`"),
        )
        return []
    for name in claims.surplus:
        loaded.say(
            "BD406",
            f"`{subject.backward_name}` gives {name}, which belongs to no input and no parameter",
            span=span,
            help="pass what it is the gradient of, too",
        )
    for leaf in claims.missing:
        loaded.say(
            "BD405",
            f"`{subject.backward_name}` gives no gradient for `{leaf.name}`",
            span=span,
            tensors=(leaf.name,),
            help=f"compute and keep `d{leaf.name}` too",
        )
        loaded.checked.append(unchecked(leaf, f"`{subject.backward_name}` gives no gradient for it"))
    found = [_tensor(loaded, subject, claim, span) for claim in claims.found]
    _notes(loaded, subject, claims.found)
    return [t for t in found if t is not None]


def _notes(loaded: Loaded, subject: Subject, found: list[Claim]) -> None:
    updated = [c.leaf.name for c in found if c.from_update]
    if updated:
        rate = "an unknown learning rate" if subject.rate is None else f"learning rate {subject.rate:g}"
        listed = ", ".join(f"`{n}`" for n in updated)
        loaded.notes.append(f"the gradient of {listed} was read off the update in `{subject.backward_name}`, with {rate}")


def _tensor(loaded: Loaded, subject: Subject, claim: Claim, span: Any) -> Tensor | None:
    leaf, kind = claim.leaf, claim.kind
    fault = fault_of(leaf, kind)
    if fault is not None:
        if subject.key(kind, leaf) not in subject.skipped:
            loaded.findings.append(fault)
            loaded.checked.append(unchecked(leaf, fault.message, kind))
        return None
    value = np.asarray(leaf.value)
    value = value.astype(float) if value.dtype.kind in "iu" else value
    g = gradient_array(claim.gradient, value, origin=claim.origin, name=leaf.name, span=span)
    if isinstance(g, Finding):
        loaded.findings.append(g)
        loaded.checked.append(unchecked(leaf, g.message, kind))
        return None
    error = update_error(claim, subject) if claim.from_update else None
    line = span.line if span else None
    return Tensor(subject.key(kind, leaf), leaf.name, value, g, claim.origin, kind, error, line, claim.from_update)


def update_error(claim: Claim, subject: Subject) -> np.ndarray:
    """What is lost where old - new is taken: an ulp of either."""
    old = np.asarray(claim.leaf.value)
    rate = abs(subject.rate or 1.0)
    return 2 * np.finfo(old.dtype).eps * (np.abs(old) + rate * np.abs(np.asarray(claim.gradient))) / rate


def _model(loaded: Loaded, subject: Subject, tensors: list[Tensor]) -> Model:
    functions = LayerFunctions(subject, tuple(tensors))
    span = span_of_function(subject.backward)
    return Model(
        target=loaded.target,
        tensors=tuple(tensors),
        objective=functions.objective,
        gradients=functions.gradients,
        source=f"`{subject.backward_name}`",
        span=span,
        layer=loaded.target,
        free_scale=subject.rate is None,
        uniform="error",
        forward=f"`{subject.forward_name}`",
    )


def _changes(loaded: Loaded, subject: Subject, changed: list[Leaf]) -> None:
    for (function, name), spot in sorted(subject.changed.items(), key=str):
        code = "BD411" if spot == "input" else "BD410"
        is_cotangent = spot == "cotangent"
        words = "the gradient that it is given" if is_cotangent else f"{'its input ' if spot == 'input' else ''}`{name}`"
        loaded.say(
            "BD411" if is_cotangent else code,
            f"`{function}` changes {words} in place",
            severity="note" if is_cotangent else "error",
            tensors=() if is_cotangent else (name,),
            span=span_of_function(subject.forward if function == subject.forward_name else subject.backward),
            help="work on a copy: another layer may still need the values",
        )
    for leaf in changed:
        if not any(name == leaf.name for _, name in subject.changed):
            loaded.say(
                "BD410",
                f"the code changes `{leaf.name}` in place",
                tensors=(leaf.name,),
                help="work on a copy; the values were put back",
            )
