"""A right value handed on for a use that needs another one, and a use that is left out: blamed where that is done."""

from __future__ import annotations

import re

import pytest

TWICE = """\
import numpy as np
rng = np.random.default_rng(4)
class Net:
    def __init__(self):
        self.u, self.v = rng.standard_normal((3, 5)) * 0.5, rng.standard_normal((5, 2)) * 0.5
    def __call__(self, x):
        h = np.tanh(x @ self.u)
        return h @ self.v, (x, h)
    def back(self, g, kept):
        x, h = kept
        self.gv += h.T @ g
        gh = g @ self.v.T * (1 - h**2)
        self.gu += x.T @ gh
net = Net()
left, right = rng.standard_normal((12, 3)), rng.standard_normal((12, 3))
wanted = rng.standard_normal((12, 2))
for step in range(30):
    a, kept_a = net(left)
    b, kept_b = net(right)
    gap = a - b - wanted
    loss = (gap**2).sum()
    net.gu, net.gv = np.zeros_like(net.u), np.zeros_like(net.v)
    d_gap = 2 * gap
    net.back(d_gap, kept_a)
    {second}
    net.u -= 0.001 * net.gu
    net.v -= 0.001 * net.gv
"""

LATENT = """\
import numpy as np
rng = np.random.default_rng(6)
x = rng.standard_normal((9, 4))
E, M, S, D = (rng.standard_normal(s) * 0.4 for s in ((4, 6), (6, 3), (6, 3), (3, 4)))
for step in range(30):
    h = np.tanh(x @ E)
    mean, spread = h @ M, h @ S
    z = mean + 0.3 * spread
    loss = ((z @ D - x) ** 2).sum() + 0.5 * (mean**2).sum() + 0.2 * (spread**2).sum()
    d_out = 2 * (z @ D - x)
    dz = d_out @ D.T
    d_mean = {mean}
    d_spread = 0.3 * dz + 0.4 * spread
    dh = (d_mean @ M.T + d_spread @ S.T) * (1 - h**2)
    dD, dM, dS, dE = z.T @ d_out, h.T @ d_mean, h.T @ d_spread, x.T @ dh
    D -= 0.002 * dD
    M -= 0.002 * dM
    S -= 0.002 * dS
    E -= 0.002 * dE
"""

RECORD = """\
import numpy as np
from dataclasses import dataclass
rng = np.random.default_rng(2)
@dataclass
class Grads:
    w: np.ndarray
    b: np.ndarray
    v: np.ndarray
x, y = rng.standard_normal((10, 4)), rng.standard_normal((10, 2))
w, b, v = rng.standard_normal((4, 3)), np.zeros(3), rng.standard_normal((3, 2))
def back(h, dp):
    dz = {dz}
    return Grads(
        w=x.T @ dz,
        b=dz.sum(axis=0),
        v=h.T @ dp,
    )
for step in range(30):
    h = np.tanh(x @ w + b)
    p = h @ v
    loss = ((p - y) ** 2).sum()
    g = back(h, 2 * (p - y))
    w -= 0.004 * g.w
    b -= 0.004 * g.b
    v -= 0.004 * g.v
"""

DECAY = """\
import numpy as np
rng = np.random.default_rng(3)
class Dense:
    def __init__(self, n, k):
        self.w, self.b = rng.standard_normal((n, k)) * 0.5, np.zeros(k)
    def __call__(self, x):
        self.x = x
        return x @ self.w + self.b
    def back(self, g):
        self.gw = {gw}
        self.gb = g.sum(axis=0)
        return g @ self.w.T
one, two = Dense(4, 5), Dense(5, 2)
x, y = rng.standard_normal((20, 4)), rng.standard_normal((20, 2))
for step in range(30):
    h = np.tanh(one(x))
    p = two(h)
    loss = ((p - y) ** 2).mean() + 0.05 * ((one.w**2).sum() + (two.w**2).sum())
    one.back(two.back(2 * (p - y) / p.size) * (1 - h**2))
    for layer in (one, two):
        layer.w -= 0.1 * (layer.gw + 0.1 * layer.w)
        layer.b -= 0.1 * layer.gb
"""

BLOCK = """\
import numpy as np
rng = np.random.default_rng(9)
class Shift:
    def __init__(self):
        self.k = rng.standard_normal(3) * 0.5
    def push(self, x):
        self.x = np.concatenate([np.zeros((x.shape[0], 2)), x], axis=1)
        n = x.shape[1]
        return sum(self.x[:, i : i + n] * self.k[i] for i in range(3))
    def pull(self, g):
        n = g.shape[1]
        self.gk = np.zeros(3)
        gx = np.zeros_like(self.x)
        for i in range(3):
            self.gk[i] = (self.x[:, i : i + n] * g).sum()
            gx[:, i : i + n] += g * self.k[i]
        return {part}
first, block = Shift(), Shift()
x, y = rng.standard_normal((5, 8)), rng.standard_normal((5, 8))
for step in range(30):
    a = np.tanh(first.push(x))
    r = a + np.tanh(block.push(a))
    loss = ((r - y) ** 2).mean()
    g = 2 * (r - y) / y.size
    g = g + block.pull(g * (1 - (r - a) ** 2))
    first.pull(g * (1 - a**2))
    first.k -= 0.1 * first.gk
    block.k -= 0.1 * block.gk
"""

# the program, what stands in its hole, the line that is blamed (None: right), the code
CASES = {
    "second call, right": (TWICE, "net.back(-d_gap, kept_b)", None, ""),
    "second call, sign": (TWICE, "net.back(d_gap, kept_b)", 25, "BD107"),
    "second call, left out": (TWICE, "pass", 24, "BD118"),
    "second name, right": (LATENT, "dz + mean", None, ""),
    "second name": (LATENT, "dz", 12, ""),
    "fields, right": (RECORD, "dp @ v.T * (1 - h**2)", None, ""),
    "fields": (RECORD, "dp @ v.T", 12, "BD104"),
    "decay, right": (DECAY, "self.x.T @ g", None, ""),
    "decay": (DECAY, "self.x.T @ g / len(g)", 10, "BD102"),
    "block, right": (BLOCK, "gx[:, 2:]", None, ""),
    "block": (BLOCK, "gx[:, :n]", 17, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_the_statement_that_hands_on_is_blamed(name, checked):
    text, hole, line, code = CASES[name]
    source = re.sub(r"\{(second|mean|dz|gw|part)\}", lambda _: hole, text)
    errors = [f for f in checked(source).findings if f.severity == "error"]
    assert [f.line for f in errors] == ([line] if line else [])
    assert not line or errors[0].code == (code or errors[0].code)
