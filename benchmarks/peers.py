"""What a check costs, against the peers, in one run: forward evaluations and wall time as ratios to this project's.

python benchmarks/peers.py [--slow]

Networks: tanh, softmax cross-entropy, float64, batch 32: 64-20-10 (1,510 parameters), 784-100-10 (79,510) and
784-1000-200-10 without the peers (1e6). Peers: scipy.optimize.check_grad (all coordinates, and one random direction),
autograd's check_grads, torch's gradcheck (fast and slow). `--slow` runs the exhaustive ones on the second network too.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backpropdoctor import check_gradient
from backpropdoctor.numeric.compare import Judge
from backpropdoctor.numeric.determinism import repeatable
from backpropdoctor.numeric.directions import analytic_error, analytic_slope, gaussian, telling
from benchmarks.nets import FAULTS, Net, mlp

Run = tuple[int, float]


class Counted:
    """A loss that counts its calls."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call, self.count = call, 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        return self.call(*args)


def measured(action: Callable[[], Any], counter: Counted) -> Run:
    """Calls and the fastest of three wall times (one where it is slow)."""
    counter.count = 0
    times: list[float] = []
    while not times or (len(times) < 3 and times[0] < 2.0):
        before = counter.count
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
        calls = counter.count - before
    return calls, min(times)


def ours(net: Net, gradient: dict[str, Any], *, real: bool = False) -> int:
    """The numeric core alone: determinism, then every block. Its evaluations."""
    loss = Counted(net.loss)
    params = net.params
    base = float(repeatable(lambda: loss(params)).first)
    rng = np.random.default_rng(1)
    all_of_it = {k: gaussian(v.shape, rng, v) for k, v in params.items()}
    judge = Judge(base, lambda t: loss({k: v + t * all_of_it[k] for k, v in params.items()}), allow_complex=not real)
    for name, g in gradient.items():
        u = telling(g, rng, params[name])
        judge.compare(_line(loss, params, name, u), analytic_slope(g, u), analytic_error=analytic_error(g, u))
    return loss.count


def public(net: Net, loss: Counted, fault: str = "") -> None:
    """What a user calls."""
    change = FAULTS[fault] if fault else lambda g: g
    report = check_gradient(loss, lambda p: {k: change(g) for k, g in net.gradient(p).items()}, net.params)
    assert report.status == ("faulty" if fault else "healthy")


def _line(loss: Callable[..., Any], params: dict[str, Any], name: str, u: Any) -> Callable[[complex], Any]:
    return lambda t: loss({**params, name: params[name] + t * u})


def flat(net: Net) -> tuple[Callable[[Any], Any], Callable[[Any], Any], Any]:
    """Loss and gradient as functions of one vector, for SciPy."""
    shapes = [(k, v.shape, v.size) for k, v in net.params.items()]

    def unpack(x: Any) -> dict[str, Any]:
        parts, at = {}, 0
        for name, shape, size in shapes:
            parts[name] = x[at : at + size].reshape(shape)
            at += size
        return parts

    start = np.concatenate([v.ravel() for v in net.params.values()])
    return (
        lambda x: net.loss(unpack(x)),
        lambda x: np.concatenate([g.ravel() for g in net.gradient(unpack(x)).values()]),
        start,
    )


def scipy_runs(net: Net, slow: bool) -> dict[str, Run]:
    from scipy.optimize import check_grad

    loss, gradient, x = flat(net)
    counter = Counted(loss)
    found = {"scipy random": measured(lambda: check_grad(counter, gradient, x, direction="random", seed=0), counter)}
    if slow:
        found["scipy all"] = measured(lambda: check_grad(counter, gradient, x), counter)
    return found


def autograd_runs(net: Net) -> dict[str, Run]:
    from autograd import numpy as anp
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    names = list(net.params)
    counter = Counted(lambda *values: net.loss(dict(zip(names, values, strict=True))))
    loss = primitive(lambda *values: anp.float64(counter(*values)))

    def vjp(k: int) -> Callable[..., Any]:
        def maker(ans: Any, *values: Any) -> Callable[[Any], Any]:
            gradient = net.gradient(dict(zip(names, values, strict=True)))[names[k]]
            return lambda g: g * gradient

        return maker

    defvjp(loss, *(vjp(k) for k in range(len(names))))
    values = list(net.params.values())
    return {"autograd check_grads": measured(lambda: check_grads(loss, modes=["rev"], order=1)(*values), counter)}


def torch_runs(net: Net, slow: bool, fault: str = "") -> dict[str, Run]:
    import torch

    torch.set_num_threads(1)
    names = list(net.params)
    counter = Counted(lambda *values: net.loss(dict(zip(names, (v.numpy() for v in values), strict=True))))

    class Handwritten(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: Any) -> Any:
            ctx.save_for_backward(*values)
            return torch.tensor(float(counter(*(v.detach() for v in values))), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            params = dict(zip(names, (v.detach().numpy() for v in ctx.saved_tensors), strict=True))
            gradients = net.gradient(params)
            if fault:
                gradients = {k: FAULTS[fault](g) for k, g in gradients.items()}
            return tuple(torch.tensor(g) * grads[0] for g in gradients.values())

    def check(fast: bool) -> None:
        values = [torch.tensor(v, requires_grad=True) for v in net.params.values()]
        torch.autograd.gradcheck(Handwritten.apply, values, fast_mode=fast, raise_exception=False)

    label = "torch gradcheck" + (f", {fault}" if fault else "")
    found = {f"{label} fast": measured(lambda: check(True), counter)} if not fault or slow else {}
    if slow and not fault:
        found[f"{label} slow"] = measured(lambda: check(False), counter)
    return found


def compare(title: str, net: Net, slow: bool) -> None:
    """One table: every tool on one network."""
    count = sum(v.size for v in net.params.values())
    print(f"\n{title}: {count:,} parameters, {len(net.params)} blocks")
    right = net.gradient(net.params)
    wrong = {k: FAULTS["x1.1"](g) for k, g in right.items()}
    rows: dict[str, Run] = {}
    for label, fault in [("right", ""), ("x1.1", "x1.1")]:
        counter = Counted(net.loss)
        rows[f"check_gradient, {label}"] = measured(partial(public, net, counter, fault), counter)
    for label, gradient, real in [
        ("numeric core, right", right, False),
        ("numeric core, x1.1", wrong, False),
        ("numeric core, real, right", right, True),
        ("numeric core, real, x1.1", wrong, True),
    ]:
        calls = ours(net, gradient, real=real)
        start = min(_timed(partial(ours, net, gradient, real=real)) for _ in range(3))
        rows[label] = (calls, start)
    for peer in (lambda: scipy_runs(net, slow), lambda: autograd_runs(net), lambda: torch_runs(net, slow)):
        rows |= _or_none(peer)
    rows |= _or_none(lambda: torch_runs(net, slow, "x1.1"))
    base_calls, base_time = rows["check_gradient, right"]
    for label, (calls, seconds) in rows.items():
        print(
            f"  {label:30s} {calls:7d} evaluations ({calls / base_calls:8.2f}x)"
            f"  {1e3 * seconds:9.1f} ms ({seconds / base_time:8.2f}x)"
        )


def _cost(net: Net, fault: str, real: bool) -> int:
    """The evaluations of check_gradient; `real` returns the loss as a float, which no complex number survives."""
    counter = Counted((lambda p: float(net.loss(p))) if real else net.loss)
    public(net, counter, fault)
    return counter.count


def _timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _or_none(peer: Callable[[], dict[str, Run]]) -> dict[str, Run]:
    try:
        return peer()
    except ImportError as missing:
        print(f"  (left out: {missing})")
        return {}


def search_costs(net: Net, title: str) -> None:
    """One wrong element: the evaluations of check_gradient beyond those for a right gradient, against 2 log2 N."""
    for name, real in (("W0", False), ("W0", True), ("b0", False), ("b0", True)):
        index = net.params[name].size // 3

        def wrong(params: dict[str, Any], name: str = name, index: int = index) -> dict[str, Any]:
            found = net.gradient(params)
            found[name].flat[index] *= 1.5
            return found

        loss = (lambda p: float(net.loss(p))) if real else net.loss
        right = check_gradient(loss, net.gradient, net.params).cost.evaluations
        report = check_gradient(loss, wrong, net.params)
        where = next(c.where for c in report.checked if c.verdict == "wrong")
        limit, mode = 2 * math.log2(net.params[name].size), "real" if real else "complex"
        print(
            f"  {title} {name} {mode:8s} right {right:3d}, with the fault {report.cost.evaluations - right:3d} more"
            f" (2 log2 N = {limit:.1f}): {where or 'not found'}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", action="store_true", help="the exhaustive peers on the second network too")
    options = parser.parse_args()
    small, large, million = mlp((64, 20, 10), 32), mlp((784, 100, 10), 32), mlp((784, 1200, 60), 32)
    compare("64-20-10", small, True)
    compare("784-100-10", large, options.slow)
    print("\n4 blocks, evaluations of a whole check (at most 60)")
    for title, net in (("64-20-10", small), ("784-100-10", large), ("784-1200-60", million)):
        count = sum(v.size for v in net.params.values())
        costs = [_cost(net, change, real) for real in (False, True) for change in ("", "x1.1")]
        print(f"  {title:12s} {count:9,d} parameters: right {costs[0]}, wrong {costs[1]}; real {costs[2]}, {costs[3]}")
    wide = mlp((12288, 100, 20, 1), 209)
    begun = time.perf_counter()
    report = check_gradient(wide.loss, wide.gradient, wide.params)
    seconds = time.perf_counter() - begun
    print(
        f"\n12288-100-20-1, 209 samples: {report.cost.evaluations} evaluations for 6 blocks, {seconds:.1f} s ({report.status})"
    )
    print("\none wrong element")
    search_costs(small, "64-20-10")
    search_costs(large, "784-100-10")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
