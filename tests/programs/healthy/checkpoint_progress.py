"""A progress wrapper, a timing decorator, a checkpoint in a temporary file, early stopping inside try/finally."""

import functools
import os
import tempfile
import time

import numpy as np

calls = {}


def timed(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return func(*args, **kwargs)
        finally:
            calls.setdefault(func.__name__, []).append(time.perf_counter() - begin)

    return wrapper


class progress:
    def __init__(self, iterable, total):
        self.iterable, self.total, self.note = iterable, total, ""

    def __iter__(self):
        for k, item in enumerate(self.iterable):
            yield item
            if (k + 1) % 20 == 0:
                print(f"[{k + 1}/{self.total}] {self.note}")


class Net:
    __slots__ = ("w", "grad", "cache")

    def __init__(self, sizes, rng):
        self.w = [rng.normal(0, np.sqrt(2 / i), (i + 1, o)) for i, o in zip(sizes, sizes[1:])]

    @timed
    def forward(self, x):
        self.cache = []
        for k, w in enumerate(self.w):
            x1 = np.c_[x, np.ones(len(x))]
            z = x1 @ w
            self.cache.append((x1, z))
            x = z if k == len(self.w) - 1 else np.where(z > 0, z, 0.01 * z)
        return x

    @timed
    def backward(self, g):
        self.grad = [None] * len(self.w)
        for k in range(len(self.w) - 1, -1, -1):
            x1, z = self.cache[k]
            if k < len(self.w) - 1:
                g = g * np.where(z > 0, 1, 0.01)
            self.grad[k] = x1.T @ g
            g = (g @ self.w[k].T)[:, :-1]


rng = np.random.default_rng(5)
X = rng.uniform(-1, 1, (50, 2))
y = np.hypot(X[:, :1], X[:, 1:])
net = Net([2, 8, 8, 1], rng)
best, patience = np.inf, 0
handle, path = tempfile.mkstemp(suffix=".npz")
os.close(handle)
bar = progress(range(100), 100)
try:
    for epoch in bar:
        pred = net.forward(X[:40])
        loss = np.mean((pred - y[:40]) ** 2)
        net.backward(2 * (pred - y[:40]) / 40)
        for w, g in zip(net.w, net.grad):
            w -= 0.1 * g
        val = np.mean((net.forward(X[40:]) - y[40:]) ** 2)
        bar.note = f"loss {loss:.5f} val {val:.5f}"
        if val < best - 1e-6:
            best, patience = val, 0
            np.savez(path, *net.w)
        else:
            patience += 1
            if patience > 5:
                print("stopped early at", epoch)
                break
finally:
    with np.load(path) as saved:
        print("best", best, [saved[k].shape for k in saved.files])
    os.remove(path)
