# ruff: noqa: E501  one way a line
"""Thirty-odd ways to make a NaN or an infinity in a training loop, each born in step 3 at the line marked `# here`.

Every program keeps a parameter `W` that the value reaches, unless it is listed in CONTAINED or HIDDEN.
"""

from __future__ import annotations

HEAD = """import numpy as np
x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
W = np.ones(3)
for step in range(6):
    bad = 1.0 if step == 3 else 0.0
    ok = 1.0 - bad
"""
TAIL = """    W -= 0.01 * g
print(W)
"""

# name -> (class, lines of the loop's body)
BODIES: dict[str, tuple[str, str]] = {
    "log of zero": ("log-of-zero", "p = np.array([0.5, ok, 0.2])\ng = -np.log(p)  # here"),
    "log of a negative number": ("log-of-negative", "p = np.array([0.5, 0.1 - bad, 0.2])\ng = np.log(p)  # here"),
    "log1p of minus one": ("log-of-zero", "p = np.array([0.5, -bad, 0.2])\ng = np.log1p(p)  # here"),
    "division by zero": ("division-by-zero", "d = np.array([1.0, ok, 2.0])\ng = W / d  # here"),
    "zero over zero": ("zero-over-zero", "d = np.array([1.0, ok, 2.0])\ng = d / d  # here"),
    "division in place": ("division-by-zero", "d = np.array([1.0, ok, 2.0])\ng = np.ones(3)\ng /= d  # here"),
    "reciprocal of a norm": ("division-by-zero", "v = x[0] * ok\ng = 1.0 / np.linalg.norm(v) * W  # here"),
    "exp overflow": ("exp-overflow", "z = np.array([1.0, 800.0 * bad, 2.0])\ng = np.exp(z)  # here"),
    "exp overflow in float32": (
        "exp-overflow",
        "z = np.array([1.0, 90.0 * bad, 2.0], dtype=np.float32)\ng = np.exp(z)  # here",
    ),
    "exp overflow in float16": (
        "exp-overflow",
        "z = np.array([1.0, 12.0 * bad, 2.0], dtype=np.float16)\ng = np.exp(z)  # here",
    ),
    "softmax without a shift": ("exp-overflow", "z = x[0] + 800.0 * bad\ne = np.exp(z)  # here\ng = e / e.sum()"),
    "fractional power of a negative number": ("invalid-power", "v = np.array([1.0, 2.0 - 3 * bad, 2.0])\ng = v ** 0.5  # here"),
    "negative power of zero": ("division-by-zero", "v = np.array([1.0, ok, 2.0])\ng = np.power(v, -1.0)  # here"),
    "power overflow": ("overflow", "v = np.array([1.0, 1 + 1e200 * bad, 2.0])\ng = v ** 2.0  # here"),
    "square root": ("outside-domain", "v = np.array([1.0, 1 - 2 * bad, 2.0])\ng = np.sqrt(v)  # here"),
    "arcsin": ("outside-domain", "v = np.array([0.5, 0.5 + bad, 0.1])\ng = np.arcsin(v)  # here"),
    "product overflow": ("overflow", "v = np.array([1.0, 1 + 1e200 * bad, 2.0])\ng = v * v  # here"),
    "inf minus inf": ("inf-minus-inf", "v = np.array([1.0, np.inf, 2.0])\ng = np.where(bad, v - v, 0.0)  # here"),
    "inf times zero": ("inf-times-zero", "v = np.array([np.inf, np.inf, 2.0])\ng = np.where(v * bad > 1, 1.0, v[2]) * (v * 0.0 if bad else ok)  # here"),
    "float16 sum": ("overflow-in-sum", "v = np.full(3, 1 + 3e4 * bad, dtype=np.float16)\ns = v.sum()  # here\ng = W * s"),
    "float32 sum": ("overflow-in-sum", "v = np.full(3, 1 + 2e38 * bad, dtype=np.float32)\ns = np.sum(v)  # here\ng = W * s"),
    "float16 mean of squares": ("overflow", "v = np.full(3, 1 + 300 * bad, dtype=np.float16)\nq = v * v  # here\ng = W * q.mean()"),
    "float32 dot": ("overflow-in-sum", "v = np.full(3, 1 + 1e19 * bad, dtype=np.float32)\ns = np.dot(v * 2, v)  # here\ng = W * s"),
    "einsum": ("overflow-in-sum", "v = np.full(3, 1 + 1e160 * bad)\ns = np.einsum('i,i->', v, v)  # here\ng = W * s"),
    "matmul": ("overflow-in-sum", "v = np.full((3, 3), 1 + 1e160 * bad)\ns = v @ v  # here\ng = s[0]"),
    "matmul in several threads": (
        "overflow-in-sum",
        "v = np.full((400, 400), 1e-3)\nv[399] += 1e160 * bad\nu = np.full((400, 400), 1e-3)\nu[:, 399] += 1e160 * bad\n"
        "s = v @ u  # here\ng = s[399, 397:400]",
    ),
    "literal": ("literal", "g = np.ones(3)\nif bad:\n    g = W * float('nan')  # here"),
    "literal from numpy": ("literal", "g = np.ones(3)\nif bad:\n    g = W * np.nan  # here"),
    "a literal written into an array": ("literal", "g = np.ones(3)\nif bad:\n    g[1] = np.nan  # here"),
    "a cast on the way into an array": (
        "overflow-in-cast",
        "g = np.ones(3, dtype=np.float32)\ng[1] = 1 + 1e39 * bad  # here",
    ),
    "bincount": ("overflow-in-sum", "w = np.array([1.0, 1e308 * bad, 1e308 * bad])\ng = np.bincount([0, 1, 1], w, 3)  # here"),
    "a Python float": ("overflow", "s = 1e200 * bad\nt = s * s  # here\ng = W * t"),
    "Python floats in a sum": ("overflow", "s = [1.0, 1e308 * bad, 1e308 * bad]\nt = s[0] + s[1] + s[2]  # here\ng = W * t"),
    "astype": ("overflow-in-cast", "v = np.array([1.0, 1 + 1e6 * bad, 2.0])\nh = v.astype(np.float16)  # here\ng = h.astype(np.float64)"),
    "mean of nothing": ("mean-of-nothing", "keep = x[0] > 10 * bad\ng = W * np.mean(x[0][keep])  # here"),
    "the masked branch of a where": (
        "division-by-zero",
        "v = np.array([1.0, ok, 2.0])\nr = 1.0 / v  # here\ng = np.where(v > 0, v, 0.0) * r",
    ),
    "in a function": (
        "log-of-zero",
        "def f(p):\n    return np.log(p)  # here\n\ng = f(np.array([0.5, ok, 0.2]))",
    ),
    "in a comprehension": ("overflow", "g = np.array([v * v for v in [1.0, 1e200 * bad, 2.0]])  # here"),
    "with the flags ignored": (
        "log-of-zero",
        "with np.errstate(all='ignore'):\n    g = -np.log(np.array([0.5, ok, 0.2]))  # here",
    ),
    "a worker thread": (
        "log-of-zero",
        "import threading\nout = {}\ndef work():\n    out['g'] = np.log(np.array([0.5, ok, 0.2]))  # here\n\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\ng = out['g']",
    ),
}  # fmt: skip

# born, but nothing that matters is reached
CONTAINED: dict[str, str] = {
    "where over both branches": "v = np.array([1.0, ok, 2.0])\ng = np.where(v > 0, np.log(v), 0.0)  # here",
    "sigmoid of a large negative number": "z = np.array([1.0, -800.0 * bad, 2.0])\ng = 1 / (1 + np.exp(-z))  # here",
    "a maximum": "v = np.array([1.0, ok, 2.0])\ng = np.minimum(1.0 / v, 5.0)  # here",
}
HIDDEN = "v = np.array([1.0, ok, 2.0])\nr = v / v  # here\ng = np.nan_to_num(r)"

DATA = """import numpy as np
x = np.array([[1.0, 2.0, 3.0], [4.0, float("nan"), 6.0]])
y = np.array([1.0, 2.0])
W = np.ones(3)
for step in range(6):
    g = (x @ W - y) @ x  # here
    W -= 0.01 * g
"""


def program(body: str) -> str:
    """The whole program around the lines of one body."""
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    return HEAD + lines + TAIL


def marked(text: str) -> int:
    """The line of the mark, from 1."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if "# here" in line)
