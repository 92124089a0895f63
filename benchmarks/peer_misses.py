"""What other gradient checkers miss, and where they give a false alarm: each line of docs/comparison.md with its figure.

python benchmarks/peer_misses.py

Needs torch, jax and autograd. Networks of `benchmarks.nets.mlp`, batch 32, mean softmax cross-entropy, seeds 0 to 19; every
checker with its defaults, and backpropdoctor on the same wrong gradients.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backpropdoctor import check_gradient
from benchmarks.nets import FAULTS, Net, mlp

LARGE, SMALL, SEEDS = (784, 100, 10), (64, 20, 10), range(20)
Gradient = Callable[[dict[str, Any]], dict[str, Any]]


def with_fault(net: Net, fault: str) -> Gradient:
    """The gradient of a net with a fault in `W0`."""

    def gradient(params: dict[str, Any]) -> dict[str, Any]:
        found = dict(net.gradient(params))
        found["W0"] = FAULTS[fault](found["W0"]) if fault else found["W0"]
        return found

    return gradient


def torch_passes(net: Net, gradient: Gradient, *, fast: bool, scale: float = 1.0, dtype: str = "float64") -> bool:
    """Whether torch's gradcheck lets the gradient pass."""
    import torch

    names = list(net.params)

    class Handwritten(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: Any) -> Any:
            ctx.save_for_backward(*values)
            params = dict(zip(names, (v.detach().numpy() for v in values), strict=True))
            return torch.tensor(scale * float(net.loss(params)), dtype=getattr(torch, dtype))

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            params = dict(zip(names, (v.detach().numpy() for v in ctx.saved_tensors), strict=True))
            return tuple(torch.tensor((scale * g).astype(dtype)) * grads[0] for g in gradient(params).values())

    values = [torch.tensor(v.astype(dtype), requires_grad=True) for v in net.params.values()]
    # where the fast mode fails, it runs the slow one for the sake of its message
    with mock.patch.object(
        sys.modules["torch.autograd.gradcheck"], "_run_slow_mode_and_get_error", lambda *args, **options: ""
    ):
        return bool(torch.autograd.gradcheck(Handwritten.apply, values, fast_mode=fast, raise_exception=False))


def ours_passes(net: Net, gradient: Gradient, scale: float = 1.0) -> bool:
    """Whether `check_gradient` lets the gradient pass."""
    report = check_gradient(lambda p: scale * net.loss(p), lambda p: {k: scale * g for k, g in gradient(p).items()}, net.params)
    return report.ok


def jax_passes(function: Callable[..., Any], *args: Any, modes: tuple[str, ...] = ("rev",)) -> bool:
    """Whether jax's check_grads is content, first order."""
    from jax.test_util import check_grads

    try:
        check_grads(function, args, order=1, modes=modes)
    except AssertionError:
        return False
    return True


def jax_lines() -> None:
    """False alarms of jax on right gradients, and a zero gradient that it passes."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    for sizes in (SMALL, LARGE):
        failed = 0
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            params = [rng.normal(size=s) / np.sqrt(s[0]) for s in zip(sizes, sizes[1:], strict=False)]
            x, y = rng.normal(size=(32, sizes[0])), rng.integers(sizes[-1], size=32)

            def loss(w: Any, v: Any, x: Any = x, y: Any = y) -> Any:
                scores = jnp.maximum(x @ w, 0) @ v
                return -jnp.mean(jax.nn.log_softmax(scores)[jnp.arange(32), y])

            failed += not jax_passes(loss, *params)
        print(f"jax, float64, right gradients of ReLU networks {sizes}: {failed} of {len(SEEDS)} fail")

    @jax.custom_jvp
    def tanh(x: Any) -> Any:
        return jnp.tanh(x)

    tanh.defjvp(lambda values, tangents: (jnp.tanh(values[0]), 0 * tangents[0]))
    x = jnp.asarray(np.random.default_rng(0).normal(size=1000), dtype=jnp.float32)
    passed = jax_passes(tanh, x, modes=("fwd",))
    print(f"jax, float32, forward mode, a derivative of zero for the tanh of 1,000 numbers: {'passes' if passed else 'fails'}")


def main() -> None:
    """Print a line for each claim."""
    import torch

    torch.set_num_threads(1)
    for fault in ("", *FAULTS):
        nets = [mlp(LARGE, 32, seed) for seed in SEEDS]
        theirs = sum(torch_passes(net, with_fault(net, fault), fast=True) for net in nets)
        mine = sum(ours_passes(net, with_fault(net, fault)) for net in nets)
        what = f"W0 {fault}" if fault else "right"
        print(f"{LARGE}, {what}: torch, fast mode, passes {theirs} of {len(nets)}; backpropdoctor {mine}", flush=True)
    nets = [mlp(SMALL, 32, seed) for seed in SEEDS]
    theirs = sum(torch_passes(net, net.gradient, fast=True, dtype="float32") for net in nets)
    print(f"{SMALL}, float32, right: torch, fast mode, passes {theirs} of {len(nets)}", flush=True)
    net = mlp((16, 8, 4), 32)
    for fault in ("zeroed", "negated"):
        wrong = with_fault(net, fault)
        theirs, mine = torch_passes(net, wrong, fast=False, scale=1e-5), ours_passes(net, wrong, 1e-5)
        words = ["passes" if passed else "fails" for passed in (theirs, mine)]
        print(f"loss times 1e-5, W0 {fault}: torch, slow mode, {words[0]}; backpropdoctor {words[1]}", flush=True)
    jax_lines()


if __name__ == "__main__":
    main()
