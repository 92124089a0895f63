#!/usr/bin/env python3
"""usage: ridge.py [--folds N] [--verbose]"""
import argparse
import itertools
import sys
import numpy as np


def folds(n, k, rng):
    order = rng.permutation(n)
    for part in np.array_split(order, k):
        yield np.setdiff1d(order, part), part


def fit(X, y, lam, iters=120, eta=0.2):
    w, b = np.zeros(X.shape[1]), y.mean()
    vw, vb = np.zeros_like(w), 0.0
    for _ in range(iters):
        # Nesterov: look ahead first
        w_ahead, b_ahead = w + 0.8 * vw, b + 0.8 * vb
        e = X @ w_ahead + b_ahead - y
        dw = X.T @ e / len(y) + lam * w_ahead
        db = e.mean()
        vw, vb = 0.8 * vw - eta * dw, 0.8 * vb - eta * db
        w, b = w + vw, b + vb
    return w, b


def mse(X, y, w, b):
    return float(np.mean((X @ w + b - y) ** 2))


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=int, default=4)
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args(argv)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    y = X @ np.array([1, 0, -1, 0.5, 0, 2.0]) + rng.normal(size=80)
    scores = {}
    for lam in (0.0, 0.1, 1.0):
        errs = []
        for train, test in folds(len(y), a.folds, rng):
            w, b = fit(X[train], y[train], lam)
            errs.append(mse(X[test], y[test], w, b))
        scores[lam] = np.mean(errs)
        if a.verbose:
            print(lam, errs, file=sys.stderr)
    best = min(scores, key=scores.get)
    print("best lambda", best, "cv error %.4f" % scores[best])
    return 0


if __name__ == "__main__":
    sys.exit(main([]))
