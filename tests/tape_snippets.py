# ruff: noqa: E501
"""Programs for the record, small and in all the styles in which backprop is written by hand."""

from __future__ import annotations

HEAD = "import numpy as np\nnp.random.seed(0)\n"

# name -> (source, pairs (later, earlier) of variables where the first must depend on the second)
SNIPPETS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "arithmetic": (
        "a = np.arange(6.).reshape(2, 3)\nb = a * 2 + 1\nc = -(b @ a.T) / 3 ** 2 - a.sum() % 2\nd = +c // 2\n"
        "e = 1 - 2 * c\nf = (a > 2) & (a < 5)\ng = ~f\nh = np.abs(a[0] - a[1])\n",
        [("c", "a"), ("h", "a"), ("e", "b")],
    ),
    "scalars": (
        "w1 = 0.5\nw2 = 0.5\nx = 1.5\nh = w1 * x\nz = h ** 2 - w2\nw1 -= 0.1 * z\nw2 = w2 - 0.1 * z\n"
        "p = q = 0.25\nr = p + w1\ns = q * w2\n",
        [("w1", "z"), ("s", "q")],
    ),
    "lists": (
        "import math, random\nrandom.seed(1)\nw = [random.random() for _ in range(3)]\nx = [1.0, 2.0, 3.0]\n"
        "s = sum(a * b for a, b in zip(w, x))\nt = sum([a * b for a, b in zip(w, x)])\nu = 1 / (1 + math.exp(-s))\n"
        "g = [u * v for v in x]\nfor i in range(len(w)):\n    w[i] -= 0.1 * g[i]\nm = max(w)\nn = sum(w) / len(w)\n"
        "z = [0.0] * 3\nfor i in range(3):\n    z[i] += w[i]\nk = sum(map(lambda q: q * q, w))\n",
        [("u", "s"), ("n", "u"), ("k", "u"), ("m", "s")],
    ),
    "dicts": (
        "params = {'W1': np.random.randn(3, 2), 'b1': np.zeros((3, 1))}\ngrads = {}\nX = np.random.randn(2, 4)\n"
        "def forward(X, params):\n    Z = np.dot(params['W1'], X) + params['b1']\n    A = np.tanh(Z)\n"
        "    return A, (Z, A)\n"
        "def backward(dA, cache):\n    Z, A = cache\n    dZ = dA * (1 - A ** 2)\n    return {'dW1': dZ @ X.T, "
        "'db1': dZ.sum(axis=1, keepdims=True)}\n"
        "for step in range(3):\n    A, cache = forward(X, params)\n    loss = np.mean(A ** 2)\n"
        "    grads = backward(2 * A / A.size, cache)\n"
        "    for k in ('W1', 'b1'):\n        params[k] = params[k] - 0.1 * grads['d' + k]\n"
        "W = params['W1']\n",
        [("loss", "A"), ("W", "A")],
    ),
    "object": (
        "class Net:\n    def __init__(self):\n        self.W = [np.random.randn(3, 2), np.random.randn(1, 3)]\n"
        "        self.__h = None\n"
        "    def forward(self, x):\n        self.__h = np.maximum(0, self.W[0].dot(x))\n"
        "        return self.W[1].dot(self.__h)\n"
        "    def backward(self, x, d, lr=0.1):\n        dW1 = d.dot(self.__h.T)\n        dh = self.W[1].T.dot(d)\n"
        "        dh[self.__h <= 0] = 0\n        dW0 = dh.dot(x.T)\n        self.W[1] -= lr * dW1\n"
        "        self.W[0] = self.W[0] - lr * dW0\n        self.last, self.dh = dW0, dh\n"
        "net = Net()\nx = np.random.randn(2, 5)\nfor i in range(2):\n    out = net.forward(x)\n    err = out - 1.0\n"
        "    net.backward(x, err)\nlast = net.last\nW0 = net.W[0]\n",
        [("last", "err"), ("W0", "err"), ("err", "out")],
    ),
    "layers": (
        "class Dense:\n    def __init__(self, n, m):\n        self.W = np.random.randn(n, m)\n        self.b = np.zeros(m)\n"
        "    def __call__(self, x):\n        self.x = x\n        return x @ self.W + self.b\n"
        "    def backward(self, g, lr):\n        gx = g @ self.W.T\n        self.W += -lr * self.x.T @ g\n"
        "        self.b += -lr * g.sum(0)\n        return gx\n"
        "class Tanh:\n    def __call__(self, x):\n        self.y = np.tanh(x)\n        return self.y\n"
        "    def backward(self, g, lr):\n        return g * (1 - self.y * self.y)\n"
        "layers = [Dense(3, 4), Tanh(), Dense(4, 1)]\nx = np.random.randn(6, 3)\ny = np.random.randn(6, 1)\n"
        "for epoch in range(2):\n    h = x\n    for layer in layers:\n        h = layer(h)\n    g = h - y\n    first = g\n"
        "    for layer in reversed(layers):\n        g = layer.backward(g, 0.1)\nW = layers[0].W\n",
        [("g", "first"), ("W", "h")],
    ),
    "autograd": (
        "class Value:\n    def __init__(self, data, children=()):\n        self.data, self.grad = data, 0.0\n"
        "        self._backward = lambda: None\n        self._prev = children\n"
        "    def __add__(self, other):\n        out = Value(self.data + other.data, (self, other))\n"
        "        def _backward():\n            self.grad += out.grad\n            other.grad += out.grad\n"
        "        out._backward = _backward\n        return out\n"
        "    def __mul__(self, other):\n        out = Value(self.data * other.data, (self, other))\n"
        "        def _backward():\n            self.grad += other.data * out.grad\n"
        "            other.grad += self.data * out.grad\n        out._backward = _backward\n        return out\n"
        "    def backward(self):\n        topo, seen = [], set()\n"
        "        def build(v):\n            if v not in seen:\n                seen.add(v)\n"
        "                for c in v._prev:\n                    build(c)\n                topo.append(v)\n"
        "        build(self)\n        self.grad = 1.0\n        for v in reversed(topo):\n            v._backward()\n"
        "a, b = Value(2.0), Value(-3.0)\nfor k in range(2):\n    a.grad = b.grad = 0.0\n    c = a * b + a * a\n"
        "    c.backward()\n    a.data -= 0.1 * a.grad\n    b.data += -0.1 * b.grad\nda, va = a.grad, a.data\ncv = c.data\n",
        [("va", "da")],
    ),
    "inline": (
        "X = np.array([[0,0,1],[0,1,1],[1,0,1],[1,1,1]])\ny = np.array([[0,1,1,0]]).T\n"
        "syn0 = 2*np.random.random((3,4)) - 1\nsyn1 = 2*np.random.random((4,1)) - 1\nfor j in range(3):\n"
        "    l1 = 1/(1+np.exp(-(np.dot(X,syn0))))\n    l2 = 1/(1+np.exp(-(np.dot(l1,syn1))))\n"
        "    l2_delta = (y - l2)*(l2*(1-l2))\n    l1_delta = l2_delta.dot(syn1.T) * (l1 * (1-l1))\n"
        "    syn1 += l1.T.dot(l2_delta)\n    syn0 += X.T.dot(l1_delta)\n",
        [("syn1", "l2_delta"), ("syn0", "l1_delta")],
    ),
    "in place": (
        "a = np.arange(6.)\nb = a\nv = a[1:4]\ns = a.sum()\na[0] = 10.\nt = b.sum()\nv *= 2\nu = a.sum()\nw = v + 0\n"
        "a[a > 5] -= 1\na[[0, 1]] = a[[1, 0]]\nr = a.reshape(2, 3)\nr[:, 1] = 0\nr.T[0, 0] += 5\nz = a * 1\n"
        "a.sort()\nq = a.copy()\na.fill(2)\np = r + v[0]\n",
        [("t", "a"), ("w", "u"), ("z", "s")][:0],
    ),
    "out": (
        "a = np.ones(4)\nb = np.empty(4)\nnp.multiply(a, 3, out=b)\nc = b + 1\nnp.add(b, a, b)\nd = b * 2\n"
        "np.exp(a, out=a)\ne = a.sum()\nm = np.zeros((2, 2))\nnp.dot(np.eye(2), np.ones((2, 2)), m)\nf = m.sum()\n"
        "np.clip(m, 0, 0.5, out=m)\nm.clip(0, 0.25, out=m)\ng = m * 1\nnp.add.at(b, [0, 0, 1], 1.0)\nh = b * 1\n"
        "np.copyto(b, a)\ni = b + 0\nnp.fill_diagonal(m, 9)\nj = m + 0\nnp.sum(m, axis=0, out=b[:2])\nk = b + 0\n"
        "np.subtract(b, 1, out=b, where=b > 3)\nl = b + 0\n",
        [("d", "a"), ("j", "g")][:1],
    ),
    "views": (
        "theta = np.random.randn(10)\nW = theta[:6].reshape(2, 3)\nb = theta[6:8]\nx = np.ones(3)\nz = W @ x + b\n"
        "theta -= 0.1 * np.ones(10)\nz2 = W @ x + b\nW[0] += 1\nt = theta + 0\nF = np.asfortranarray(W)\nG = F.T\n"
        "F[0, 1] = 7\nh = G * 1\nrev = theta[::-1]\nrev[0] = 3\nk = theta * 1\nr = np.ravel(W)\nr[2] = 5.5\no = W * 1\n"
        "st = np.lib.stride_tricks.as_strided(theta, (3, 2), (16, 8))\nst[0, 0] = -4.0\nn = theta * 1\n"
        "D = theta.reshape(5, 2).T\nD *= 2\nll = theta + 0\n",
        [("z2", "theta"), ("h", "W"), ("n", "k")][:1],
    ),
    "iteration": (
        "X = np.arange(6.).reshape(3, 2)\ny = np.arange(3.)\ntotal = 0.0\nfor row, t in zip(X, y):\n"
        "    total += row.sum() * t\nfor i, v in enumerate(y):\n    total = total + v * i\nfor v in y:\n    total += v\n"
        "for v in reversed(y):\n    total += v * v\na, b, c = y\nd = a + b * c\n(e, f), g = (a, b), c\n"
        "h = [r @ np.ones(2) for r in X]\ni = sum(h)\nfirst, *rest = h\nj = first + rest[0]\n"
        "k = sum(np.square(t) for t in y)\nl = np.sum(t * 2 for t in y) if False else 0.0\n",
        [("total", "y"), ("d", "y"), ("i", "X"), ("j", "X"), ("k", "y")],
    ),
    "several results": (
        "A = np.random.randn(3, 3)\nu, s, vt = np.linalg.svd(A)\nB = (u * s) @ vt\nq, r = np.linalg.qr(A)\nC = q @ r\n"
        "p1, p2, p3 = np.split(A, 3)\nD = p1 + p3\nfr, ex = np.frexp(A)\nE = fr + ex\nxs = A.tolist()\nF = xs[0][1] * 2\n"
        "lo, hi = min(xs[0]), max(xs[0])\ndm = divmod(7.5, 2.0)\nG = dm[0] + dm[1]\nH = np.array([xs[0][0], F, 3.0])\n"
        "I, J = np.meshgrid(A[0], A[1])\nK = I * J\n",
        [("B", "A"), ("C", "A"), ("D", "A"), ("F", "A"), ("H", "F"), ("K", "A")],
    ),
    "keywords and stars": (
        "a = np.ones((2, 3))\nargs = (a,)\nkw = {'axis': 1, 'keepdims': True}\nb = np.sum(*args, **kw)\nc = np.mean(a, axis=0)\n"
        "d = np.stack([*a, a[0]])\ne = np.concatenate((a, a * 2), axis=1)\nf = max(*[1.5, 2.5])\n"
        "def g(*xs, scale=2.0, **more):\n    return sum(xs) * scale + more['z']\nh = g(1.0, f, z=b[0, 0])\n"
        "i = np.where(a > 0, a, -a)\nj = np.einsum('ij,ij->i', a, a)\nk = a.dot(a.T)\nl = np.float32(3) * a\n",
        [("b", "a"), ("d", "a"), ("e", "a"), ("h", "f"), ("h", "b")],
    ),
    "targets": (
        "class Box:\n    pass\nbox = Box()\nbox.a, box.b = np.ones(2), np.zeros(2)\nm = np.zeros((2, 2))\n"
        "m[0], m[1] = box.a * 2, box.a * 3\nn = m * 1\nm[0], m[1] = m[1].copy(), m[0].copy()\no = m * 1\nd = {}\n"
        "d['x'], d['y'] = box.a + 1, 5.0\np = d['x'] * d['y']\nbox.a += 1\nbox.a = box.a * 2\nq = box.a + 0\n"
        "r = s = box.a - 1\nr += 1\nt = s * 1\n(u := np.exp(r))\nv = [w := u * 2, w + 1][1]\nx: float = 0.5\ny = x * 2\n"
        "m[0, :] -= 1\nm[:, [0, 1]] *= 2\nm.T[1] /= 4\nz = m + 0\nm.flat[0] = 11.0\naa = m + 0\nbb = m.flat[1] * 2\nm.flat[2] += 3\nm.flat[:2] *= 2\ncc = m + 0\ndd = np.median(m, overwrite_input=True)\nee = m + dd\nff = np.broadcast_arrays(0, dd * np.ones(2))[1] * 2\n",
        [("o", "n")][:0] + [("p", "q")][:0] + [("v", "u"), ("y", "x"), ("t", "r")][:2],
    ),
    "generators": (
        "def batches(X, n):\n    for i in range(0, len(X), n):\n        yield X[i:i + n], i\n"
        "X = np.arange(8.).reshape(4, 2)\nw = np.zeros(2)\nfor epoch in range(2):\n    for b, i in batches(X, 2):\n"
        "        g = b.mean(axis=0) - w\n        w = w + 0.5 * g\n"
        "def gen():\n    a = 1.0\n    while True:\n        got = yield a * 2\n        a = a + (got or 0.5)\n"
        "it = gen()\nc = next(it) + next(it) + it.send(2.5)\nd = sum(x * x for x in (y + 1 for y in [0.5, 1.5]))\n"
        "e = np.fromiter((v * 2 for v in w), float)\nf = sorted([0.3, 0.1], key=lambda v: -v)[0] * 2\n",
        [("w", "X"), ("e", "w")],
    ),
    "exceptions": (
        "def risky(x):\n    try:\n        return np.ones(2) * (x + np.ones(3)[5])\n    except IndexError:\n"
        "        return x * 2\n"
        "a = np.arange(2.)\nb = a * risky(a) + a\nc = np.dot(a, risky(np.sqrt(risky(a))))\n"
        "def f(n, x):\n    try:\n        if n:\n            return np.add(x, f(n - 1, x) / g(n))\n"
        "        raise ValueError(np.sum(x * 3))\n    except ValueError as e:\n        return x * e.args[0]\n"
        "def g(n):\n    try:\n        return np.add(1, undefined * 2)\n    except NameError:\n        return 2.0\n"
        "d = a + f(3, a)\ntry:\n    a[0] = np.ones(3)\nexcept ValueError:\n    e = a * 1\n"
        "try:\n    a += np.ones(3)\nexcept ValueError:\n    h = a * 2\n",
        [("b", "a"), ("d", "a"), ("c", "a")],
    ),
    "closures": (
        "def make(w):\n    count = 0\n    def step(g, lr=0.1):\n        nonlocal w, count\n        count += 1\n"
        "        w = w - lr * g\n        return w\n    return step\nw = np.ones(2)\nstep = make(w)\n"
        "for i in range(2):\n    grad = w * 2\n    w = step(grad)\n"
        "relu = lambda z: np.maximum(z, 0)\nact = {'relu': (relu, lambda z: (z > 0) * 1.0)}\n"
        "z = np.array([-1.0, 2.0])\na = act['relu'][0](z)\nda = act['relu'][1](z) * a\n"
        "def outer():\n    global total\n    total = z * 3\nouter()\nu = total + 1\n"
        "import functools\nscale = functools.partial(np.multiply, 2.0)\nv = scale(z)\nvec = np.vectorize(lambda t: t * t)\n"
        "x = vec(z)\ny = functools.reduce(lambda p, q: p * q, [1.5, 2.5, u[0]])\n",
        [("w", "grad"), ("a", "z"), ("da", "a"), ("u", "z"), ("v", "z"), ("x", "z"), ("y", "u")],
    ),
    "float32": (
        "a = np.random.randn(3, 2).astype(np.float32)\nb = a @ a.T\nc = b.mean()\nd = np.float32(2) * c\na -= 0.1 * a\n"
        "e = a + d\nb32 = np.zeros(3, np.float32)\nb32 += np.ones(3)\nf = b32 * 2\nm = np.matrix([[1., 2.]])\nn = m * m.T\n"
        "o = (a.astype(complex) * 1j).imag\np = a.view(np.int32)\na[0, 0] = 3\nq = p + 0\n",
        [("e", "a"), ("d", "b")][1:],
    ),
    "momentum": (
        "W = np.random.randn(2, 2)\nv = np.zeros_like(W)\nm, s = 0, 0\nt = 0\nX = np.random.randn(5, 2)\n"
        "while t < 3:\n    t += 1\n    E = X @ W - 1\n    dW = 2 * X.T @ E / len(X)\n    v = 0.9 * v + dW\n"
        "    m = 0.9 * m + 0.1 * dW\n    s = 0.999 * s + 0.001 * dW ** 2\n"
        "    W -= 0.01 * v + 0.01 * (m / (1 - 0.9 ** t)) / (np.sqrt(s / (1 - 0.999 ** t)) + 1e-8)\n",
        [("v", "E"), ("W", "s")],
    ),
    "match and with": (
        "import contextlib\nx = np.ones(2)\nmatch {'kind': 'a', 'v': x}:\n    case {'kind': 'a', 'v': v} if v.sum() > 1:\n"
        "        y = v * 2\n    case _:\n        y = v * 3\nwith np.errstate(all='ignore') as es:\n    z = np.log(y - 2)\n"
        "with contextlib.suppress(ValueError):\n    q = np.add(x, int('no'))\nr = x + y\ns = f'{np.mean(r * 2):.2f}'\n"
        "t = x if y[0] > 1 else y\nu = 0 < x[0] < 2\nc = (x * 2 if u else x * 3) + 0\n"
        "async def main():\n    import asyncio\n    await asyncio.sleep(0)\n    return x * 4\n"
        "import asyncio\nd = asyncio.run(main()) + 0\n",
        [("y", "x"), ("r", "y"), ("c", "x")],
    ),
    "setattr": (
        "class Box:\n    pass\nbox = Box()\nbox.inner = Box()\nbox.inner.W = np.ones((2, 2))\nx = np.array([1.0, 2.0])\n"
        "for key in ('W',):\n    old = getattr(box.inner, key)\n    setattr(box.inner, key, old - 0.1 * np.outer(x, x))\n"
        "    setattr(box.inner, 'n', 3)\n    setattr([box][0].inner, key, box.inner.W * 2)\nW = box.inner.W\n"
        "A = W + 0\na = np.ones(2)\nb = A @ x + a\nc = b - x\n",
        [("A", "x"), ("box.inner.W", "x")],
    ),
}
