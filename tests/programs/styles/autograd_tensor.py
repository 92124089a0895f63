import numpy as np


def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


class Tensor:
    def __init__(self, data, parents=(), requires_grad=False):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self.parents = parents
        self.requires_grad = requires_grad
        self._backward = None

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def _backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad
        out._backward = _backward
        return out

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))

        def _backward():
            self.grad += unbroadcast(out.grad, self.data.shape)
            other.grad += unbroadcast(out.grad, other.data.shape)
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))

        def _backward():
            self.grad += unbroadcast(out.grad * other.data, self.data.shape)
            other.grad += unbroadcast(out.grad * self.data, other.data.shape)
        out._backward = _backward
        return out

    def sigmoid(self):
        s = 1 / (1 + np.exp(-self.data))
        out = Tensor(s, (self,))

        def _backward():
            self.grad += out.grad * s * (1 - s)
        out._backward = _backward
        return out

    def log(self):
        out = Tensor(np.log(self.data), (self,))

        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out

    def mean(self):
        out = Tensor(self.data.mean(), (self,))

        def _backward():
            self.grad += np.ones_like(self.data) * out.grad / self.data.size
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) in seen:
                return
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            if node._backward is not None:
                node._backward()


rng = np.random.default_rng(17)
inputs = rng.normal(size=(40, 2))
labels = (inputs[:, :1] * inputs[:, 1:] > 0).astype(float)

W1 = Tensor(rng.normal(size=(2, 5)), requires_grad=True)
b1 = Tensor(np.zeros((1, 5)), requires_grad=True)
W2 = Tensor(rng.normal(size=(5, 1)), requires_grad=True)
b2 = Tensor(np.zeros((1, 1)), requires_grad=True)
weights = [W1, b1, W2, b2]
gate = Tensor(rng.uniform(0.5, 1.5, size=(1, 5)), requires_grad=True)
weights.append(gate)

for step in range(200):
    X = Tensor(inputs)
    hidden = (X @ W1 + b1).sigmoid() * gate
    p = (hidden @ W2 + b2).sigmoid()
    y, not_y = Tensor(labels), Tensor(1 - labels)
    q = Tensor(1.0) + p * Tensor(-1.0)
    nll = (y * p.log() + not_y * q.log()).mean() * Tensor(-1.0)
    nll.backward()
    for t in weights:
        t.data -= 0.5 * t.grad
        t.grad = np.zeros_like(t.grad)
    if step % 40 == 0:
        print(f"{step:4d} {float(nll.data):.5f}")
