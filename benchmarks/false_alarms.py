"""False alarms on networks whose gradients are right, and the smallest errors found in wrong ones.

python benchmarks/false_alarms.py [--nets 300] [--seed 0] [--core [--real]]

1,200 random networks: 300 each of tanh and ReLU, float64 and float32; softmax and sigmoid cross-entropy, squared error;
losses written so that complex numbers pass, do not pass, or pass wrongly; half of the float32 ones cast to float32 in
the code itself, so that no float64 reference can be had. `backpropdoctor.check_gradient` is what is measured;
`--core` measures the numeric core alone, `--core --real` without complex numbers.
"""

from __future__ import annotations

import argparse
import math
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from backpropdoctor import check_gradient
from backpropdoctor.numeric.compare import Judge
from backpropdoctor.numeric.directions import analytic_error, analytic_slope, size_of, telling
from backpropdoctor.numeric.estimate import Comparison, Verdict
from backpropdoctor.report.report import Report
from benchmarks.nets import FAULTS, Net, random_net

KINDS = [("tanh", np.float64), ("relu", np.float64), ("tanh", np.float32), ("relu", np.float32)]
LOSS_SCALES = (1.0, 1e-6, 1e6)


@dataclass
class Score:
    """How many checks there were, and how many of them came out as they should."""

    right: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, what: str, good: bool, example: str = "") -> None:
        self.total[what] += 1
        self.right[what] += bool(good)
        if not good:
            self.examples.append(f"{what}: {example}")


def lifted(params: dict[str, Any]) -> dict[str, Any]:
    return {k: np.asarray(v, dtype=np.float64) for k, v in params.items()}


def judge_block(net: Net, judge: Judge, name: str, gradient: Any, seed: int) -> Comparison:
    """Compare one block of the gradient along one direction, and two more while it is undecided."""
    params = lifted(net.params)
    block = params[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    for _ in range(3):
        u = telling(gradient, rng, block)

        def phi(t: complex, u: Any = u) -> Any:
            return net.loss({**params, name: block + t * u})

        found = judge.compare(phi, analytic_slope(gradient, u), analytic_error=analytic_error(gradient, u))
        if found.verdict is not Verdict.UNDECIDED or found.cause == "kink":
            break
    return found


def judged(net: Net, name: str, fault: Any, seed: int, real: bool, judge: Judge | None = None) -> Comparison:
    """The verdict on one block with a fault; while kinks at the very point blur it, that at a point beside it."""
    judge = judge_of(net, real) if judge is None else judge
    found = judge_block(net, judge, name, fault(net.gradient(net.params)[name]), seed)
    for k in range(4):
        if found.verdict is not Verdict.UNDECIDED:
            break
        beside = net.beside(seed + k)
        gradient = fault(beside.gradient(beside.params)[name])
        found = judge_block(beside, judge_of(beside, real), name, gradient, seed + k)
    return found


def judge_of(net: Net, real: bool) -> Judge:
    params = lifted(net.params)
    rng = np.random.default_rng(0)
    u = {k: rng.standard_normal(v.shape) * size_of(v) for k, v in params.items()}

    def line(t: complex) -> Any:
        return net.loss({k: v + t * u[k] for k, v in params.items()})

    return Judge(float(net.loss(params)), line, allow_complex=not real)


Fault = Callable[[Any], Any]
Missed = list[tuple[str, str]]


class Core:
    """The numeric core by itself, with the retries that `check_gradient` makes."""

    def __init__(self, real: bool) -> None:
        self.real = real

    def right(self, net: Net, seed: int) -> tuple[str, str]:
        """The worst verdict over all blocks of a right net, and why."""
        judge, worst, why = judge_of(net, self.real), "right", ""
        for name in net.params:
            found = judged(net, name, lambda g: g, seed, self.real, judge)
            if found.verdict is not Verdict.RIGHT and worst != "wrong":
                worst, why = found.verdict.value, f"{name} {found}"
        return worst, why

    def missed(self, net: Net, seed: int, fault: Fault) -> Missed:
        """The blocks that pass although each, in its turn, has the fault."""
        found = [(name, judged(net, name, fault, seed, self.real)) for name in _blocks(net)]
        return [(name, str(c)) for name, c in found if c.verdict is not Verdict.WRONG]


class Public:
    """What a user calls; `dear` are the checks that cost more than they may."""

    def __init__(self) -> None:
        self.checks = 0
        self.dear: list[str] = []

    def right(self, net: Net, seed: int) -> tuple[str, str]:
        report = check_gradient(net.loss, net.gradient, net.params, seed=seed)
        self._count(report, net, seed)
        verdict = {"healthy": "right", "faulty": "wrong"}.get(report.status, "undecided")
        return verdict, str([(c.tensor, c.reason) for c in report.checked if c.verdict != "right"])

    def missed(self, net: Net, seed: int, fault: Fault) -> Missed:
        missed = []
        for name in _blocks(net):

            def gradient(params: Any, name: str = name) -> Any:
                found = net.gradient(params)
                return {**found, name: fault(found[name])}

            report = check_gradient(net.loss, gradient, net.params, seed=seed)
            self._count(report, net, seed, name)
            wrong = [c.verdict == "wrong" for c in report.checked if c.tensor.strip("'[]").endswith(name)]
            if not any(wrong) or len(report.wrong) != 1:
                missed.append((name, str([(c.tensor, c.verdict, c.reason) for c in report.checked])))
        return missed

    def _count(self, report: Report, net: Net, seed: int, name: str | None = None) -> None:
        """60 evaluations for 4 tensors, 20 for each further one, and 2 log2 N to look for the wrong one of N elements."""
        limit = 60 + 20 * max(len(net.params) - 4, 0)
        limit += 2 * math.ceil(math.log2(max(net.params[name].size, 2))) if name else 0
        self.checks += 1
        if report.cost.evaluations > limit:
            self.dear.append(f"{seed} {net.style} {name}: {report.cost.evaluations} of {limit}")


def _blocks(net: Net) -> list[str]:
    """Those that can be wrong: a block whose true gradient is 0 has no scale."""
    return [name for name, g in net.gradient(net.params).items() if np.any(g)]


def run(nets: int, subject: Core | Public, seed: int = 0) -> Score:
    """All figures, for this many nets of each kind."""
    score = Score()
    for number, (activation, dtype) in enumerate(KINDS):
        label = f"{activation} {np.dtype(dtype).name}"
        for k in range(nets):
            key = seed + 100_000 * number + k
            net = random_net(key, activation, dtype)
            verdict, why = subject.right(net, key)
            score.add(f"{label}: no false alarm", verdict != "wrong", f"{key} {net.style} {why}")
            score.add(f"{label}: decided", verdict != "undecided", f"{key} {net.style} {why}")
            if dtype == np.float32:
                _large_errors(score, net, key, subject, label)
            else:
                _small_errors(score, net, key, subject, label)
    return score


def _large_errors(score: Score, net: Net, key: int, subject: Core | Public, label: str) -> None:
    label += ", cast in the code" if net.style == "cast" else ""
    for fault, change in FAULTS.items():
        missed = subject.missed(net, key, change)
        score.add(f"{label}: {fault} block caught", not missed, f"{key} {net.style} {missed}")


def _small_errors(score: Score, net: Net, key: int, subject: Core | Public, label: str) -> None:
    for factor in LOSS_SCALES:
        scaled = net.scaled(factor)
        if factor != 1.0:
            verdict, why = subject.right(scaled, key)
            score.add(f"{label}: no false alarm, loss x{factor:g}", verdict != "wrong", f"{key} {net.style} {why}")
        for size in (1e-6, 1e-9) if net.smooth else (1e-6,):
            missed = subject.missed(scaled, key, lambda g, size=size: g * (1 + size))
            what = f"{label}: scale error {size:.0e} caught, loss x{factor:g}"
            score.add(what, not missed, f"{key} {net.style} {net.kind} {missed}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", type=int, default=300, help="networks of each kind (default 300)")
    parser.add_argument("--core", action="store_true", help="the numeric core instead of check_gradient")
    parser.add_argument("--real", action="store_true", help="with --core: real differences only")
    parser.add_argument("--seed", type=int, default=0, help="other networks")
    parser.add_argument("--show", type=int, default=0, help="print this many of the failures")
    options = parser.parse_args()
    subject = Core(options.real) if options.core else Public()
    score = run(options.nets, subject, options.seed)
    for what, total in score.total.items():
        print(f"{what:62s} {score.right[what]:5d} of {total}")
    if isinstance(subject, Public):
        within = subject.checks - len(subject.dear)
        print(f"{'checks within their evaluations (60 for 4 tensors)':62s} {within:5d} of {subject.checks}")
        score.examples += subject.dear
    for example in score.examples[: options.show]:
        print(example)
    return 0 if not any("false alarm" in e for e in score.examples) else 1


if __name__ == "__main__":
    raise SystemExit(main())
