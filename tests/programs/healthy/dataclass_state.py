from dataclasses import dataclass, fields

import numpy as np


@dataclass
class State:
    U: np.ndarray
    c: np.ndarray
    V: np.ndarray
    d: np.ndarray


gen = np.random.default_rng(10)
state = State(gen.normal(size=(3, 6)), np.zeros(6), gen.normal(size=(6, 1)), np.zeros(1))


def batches(x, y, size):
    order = gen.permutation(len(x))
    for s in range(0, len(x), size):
        pick = order[s : s + size]
        yield x[pick], y[pick]


def gradient(st, x, y):
    q = np.tanh(x @ st.U + st.c)
    o = q @ st.V + st.d
    resid = o - y
    value = float(np.sum(resid**2) / (2 * len(x)))
    back = resid / len(x)
    mid = back @ st.V.T * (1 - q**2)
    return value, State(x.T @ mid, mid.sum(0), q.T @ back, back.sum(0))


x = gen.normal(size=(60, 3))
y = np.cos(x[:, :1])
for epoch in range(6):
    total = 0.0
    for xb, yb in batches(x, y, 12):
        value, slope = gradient(state, xb, yb)
        total += value
        for f in fields(State):
            getattr(state, f.name)[...] -= 0.05 * getattr(slope, f.name)
    print(epoch, total)
