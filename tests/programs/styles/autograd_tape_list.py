import math
import random

tape = []


class Node:
    __slots__ = ("val", "adj")

    def __init__(self, val):
        self.val = val
        self.adj = 0.0


def add(a, b):
    out = Node(a.val + b.val)

    def pull():
        a.adj += out.adj
        b.adj += out.adj
    tape.append(pull)
    return out


def mul(a, b):
    out = Node(a.val * b.val)

    def pull():
        a.adj += out.adj * b.val
        b.adj += out.adj * a.val
    tape.append(pull)
    return out


def sin(a):
    out = Node(math.sin(a.val))

    def pull():
        a.adj += out.adj * math.cos(a.val)
    tape.append(pull)
    return out


def exp(a):
    out = Node(math.exp(a.val))

    def pull():
        a.adj += out.adj * out.val
    tape.append(pull)
    return out


def square(a):
    out = Node(a.val * a.val)

    def pull():
        a.adj += 2 * a.val * out.adj
    tape.append(pull)
    return out


def model(x, amp, freq, phase, decay):
    wave = sin(add(mul(freq, x), phase))
    return mul(mul(amp, wave), exp(mul(decay, x)))


random.seed(4)
samples = [i / 8 for i in range(1, 21)]
signal = [1.3 * math.sin(2.1 * s + 0.4) * math.exp(-0.5 * s) for s in samples]

amp, freq, phase, decay = Node(1.0), Node(1.8), Node(0.1), Node(-0.3)
unknowns = {"amp": amp, "freq": freq, "phase": phase, "decay": decay}
step_size = 0.02

for sweep in range(100):
    tape.clear()
    for node in unknowns.values():
        node.adj = 0.0
    total = Node(0.0)
    for s, target in zip(samples, signal):
        total = add(total, square(add(model(Node(s), amp, freq, phase, decay), Node(-target))))
    total.adj = 1.0
    for pull in reversed(tape):
        pull()
    for node in unknowns.values():
        node.val -= step_size * node.adj
    if sweep % 25 == 0:
        print("sweep", sweep, "residual", total.val)

print({name: round(node.val, 3) for name, node in unknowns.items()})
