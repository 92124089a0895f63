# pure python: a 1-3-1 curve fit with Adam on scalars held in dictionaries
import math
import random

random.seed(12)
pts = [(x / 10, math.sin(x / 5)) for x in range(-15, 16, 10)]
par = {}
for k in "ab":
    par["w" + k] = random.gauss(0, 1)
    par["t" + k] = random.gauss(0, 0.1)
    par["v" + k] = random.gauss(0, 1)
par["out"] = 0.0
m = dict.fromkeys(par, 0.0)
s = dict.fromkeys(par, 0.0)


def forward(x):
    hid = {}
    y = par["out"]
    for k in "ab":
        hid[k] = math.tanh(par["w" + k] * x + par["t" + k])
        y += par["v" + k] * hid[k]
    return y, hid


def gradient():
    g = dict.fromkeys(par, 0.0)
    cost = 0.0
    n = len(pts)
    for x, target in pts:
        y, hid = forward(x)
        e = y - target
        cost += e * e / n
        d = 2 * e / n
        g["out"] += d
        for k in "ab":
            g["v" + k] += d * hid[k]
            dh = d * par["v" + k] * (1 - hid[k] ** 2)
            g["w" + k] += dh * x
            g["t" + k] += dh
    return cost, g


for it in range(1, 9):
    cost, g = gradient()
    for k in par:
        m[k] = 0.9 * m[k] + 0.1 * g[k]
        s[k] = 0.99 * s[k] + 0.01 * g[k] ** 2
        par[k] -= 0.05 * (m[k] / (1 - 0.9**it)) / (math.sqrt(s[k] / (1 - 0.99**it)) + 1e-8)
    if it % 4 == 0:
        print(it, cost)
