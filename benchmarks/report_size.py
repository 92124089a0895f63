"""How long a report of a net with 200 tensors takes to draw and how large it is, in every form.

python benchmarks/report_size.py
"""

from __future__ import annotations

import random
import sys
import time

from backpropdoctor.finding import Checked, Cost, Finding
from backpropdoctor.report.report import Report
from backpropdoctor.source import Span

TENSORS = 200
FORMS = ("text", "json", "html", "sarif", "github")


def report() -> Report:
    """200 tensors of 32 x 32, every one wrong and with a heat map, a ladder and a loss curve; 20 findings."""
    draw = random.Random(0).gauss
    rows = []
    for k in range(TENSORS):
        grid = [[draw(0, 1) for _ in range(32)] for _ in range(32)]
        evidence = {
            "heatmap": {"analytic": grid, "numeric": [[2 * v for v in row] for row in grid], "wrong_rows": [3]},
            "ladder": {"h": [10.0**-k for k in range(1, 12)], "error": [10.0**-k for k in range(1, 12)]},
            "loss_curve": [1 / (k + 1) for k in range(5000)],
        }
        rows.append(
            Checked(tensor=f"parameters['W{k}']", verdict="wrong", analytic=draw(0, 1), numeric=draw(0, 1), error=1e-12,
                    ratio=0.5, method="complex-step", evaluations=2, shape=(32, 32), evidence=evidence)
        )  # fmt: skip
    findings = tuple(
        Finding(code="BD102", name="scaled-gradient", severity="error", message=f"`dW{k}` is half of the gradient",
                span=Span(__file__, 20 + k, 1, 20 + k, 5), measured="0.5 of the true gradient")
        for k in range(20)
    )  # fmt: skip
    return Report(target="deep.py", findings=findings, checked=tuple(rows), cost=Cost(2 * TENSORS, 12.0))


def main() -> int:
    """Print a row for each form; 1 where HTML takes a second or 2 MB."""
    subject = report()
    missed = False
    print(f"{TENSORS} tensors, each with drawings; first rendering, imports included")
    for form in FORMS:
        start = time.perf_counter()
        size = len(getattr(subject, form)().encode())
        seconds = time.perf_counter() - start
        missed |= form == "html" and (seconds >= 1 or size >= 2_000_000)
        print(f"{form:8} {seconds:7.3f} s {size / 1e6:8.3f} MB")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
