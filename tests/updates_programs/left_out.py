"""Training scripts in which one edit leaves parameters out of the update, although their gradients are computed.

`HERE` is the text of the right program that becomes `there`. The edit marked by `line` text is where it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """A right program, the edit `right` -> `faulty`, the names that are left out, the line's text, and the edit found."""

    name: str
    text: str
    right: str
    faulty: str
    tensors: tuple[str, ...]
    at: str
    after: str | None

    @property
    def healthy(self) -> str:
        return self.text.replace("@@", self.right)

    @property
    def source(self) -> str:
        return self.text.replace("@@", self.faulty)

    @property
    def line(self) -> int:
        [line] = [n for n, row in enumerate(self.source.splitlines(), 1) if self.at in row]
        return line


RANGE_ENDS_EARLY = LeftOut(
    name="range_ends_early",
    text="""\
import numpy as np

def start(sizes):
    rng = np.random.RandomState(3)
    net = {}
    for l in range(1, len(sizes)):
        net[f"W{l}"] = rng.randn(sizes[l], sizes[l - 1]) / np.sqrt(sizes[l - 1])
        net[f"b{l}"] = np.zeros((sizes[l], 1))
    return net

def forward(net, x):
    depth = len(net) // 2
    acts = [x]
    for l in range(1, depth + 1):
        z = net[f"W{l}"] @ acts[-1] + net[f"b{l}"]
        acts.append(np.tanh(z) if l < depth else z)
    return acts

def backward(net, acts, y):
    depth, n = len(net) // 2, y.shape[1]
    grads = {}
    dz = (acts[-1] - y) / n
    for l in range(depth, 0, -1):
        grads[f"W{l}"] = dz @ acts[l - 1].T
        grads[f"b{l}"] = dz.sum(axis=1, keepdims=True)
        dz = (net[f"W{l}"].T @ dz) * (1 - acts[l - 1] ** 2)
    return grads

def step(net, grads, lr):
    for l in range(1, @@):
        net[f"W{l}"] -= lr * grads[f"W{l}"]
        net[f"b{l}"] -= lr * grads[f"b{l}"]

rng = np.random.RandomState(0)
x = rng.randn(3, 40)
y = np.sin(x[:1]) + x[1:2]
net = start([3, 5, 4, 1])
for epoch in range(30):
    acts = forward(net, x)
    loss = 0.5 * np.mean((acts[-1] - y) ** 2)
    step(net, backward(net, acts, y), 0.1)
""",
    right="len(net) // 2 + 1",
    faulty="len(net) // 2",
    tensors=("net['W3']", "net['b3']"),
    at="for l in range(1, len(net) // 2)",
    after="len(net) // 2 + 1",
)

SLICE_OF_LAYERS = LeftOut(
    name="slice_of_layers",
    text="""\
import numpy as np

class Schicht:
    def __init__(self, ein, aus, rng):
        self.gewichte = rng.normal(size=(ein, aus)) * 0.5
        self.schwellen = np.zeros(aus)

    def vorwaerts(self, x):
        self.x = x
        self.a = np.tanh(x @ self.gewichte + self.schwellen)
        return self.a

    def rueckwaerts(self, g):
        g = g * (1 - self.a**2)
        self.grad_gewichte = self.x.T @ g
        self.grad_schwellen = g.sum(axis=0)
        return g @ self.gewichte.T

rng = np.random.default_rng(1)
eingabe = rng.normal(size=(30, 4))
ziel = np.tanh(eingabe[:, :2] - eingabe[:, 2:])
netz = [Schicht(4, 6, rng), Schicht(6, 5, rng), Schicht(5, 2, rng)]
rate = 0.2
for runde in range(25):
    aus = eingabe
    for schicht in netz:
        aus = schicht.vorwaerts(aus)
    fehler = np.mean((aus - ziel) ** 2)
    g = 2 * (aus - ziel) / aus.size
    for schicht in reversed(netz):
        g = schicht.rueckwaerts(g)
    for schicht in @@:
        schicht.gewichte -= rate * schicht.grad_gewichte
        schicht.schwellen -= rate * schicht.grad_schwellen
""",
    right="netz",
    faulty="netz[1:]",
    tensors=("netz[0].gewichte", "netz[0].schwellen"),
    at="for schicht in netz[1:]",
    after="netz",
)

STATEMENT_MISSING = LeftOut(
    name="statement_missing",
    text="""\
import numpy as np

class Red:
    def __init__(self, entradas, ocultas, salidas):
        gen = np.random.default_rng(7)
        self.pesos_oculta = gen.standard_normal((entradas, ocultas)) * 0.4
        self.sesgo_oculta = np.zeros((1, ocultas))
        self.pesos_salida = gen.standard_normal((ocultas, salidas)) * 0.4
        self.sesgo_salida = np.zeros((1, salidas))

    def adelante(self, X):
        self.oculta = 1 / (1 + np.exp(-(X @ self.pesos_oculta + self.sesgo_oculta)))
        return self.oculta @ self.pesos_salida + self.sesgo_salida

    def entrenar(self, X, Y, tasa, epocas):
        for _ in range(epocas):
            salida = self.adelante(X)
            perdida = np.mean((salida - Y) ** 2)
            delta = 2 * (salida - Y) / Y.size
            d_pesos_salida = self.oculta.T @ delta
            d_sesgo_salida = delta.sum(axis=0, keepdims=True)
            delta = (delta @ self.pesos_salida.T) * self.oculta * (1 - self.oculta)
            d_pesos_oculta = X.T @ delta
            d_sesgo_oculta = delta.sum(axis=0, keepdims=True)
            self.pesos_salida -= tasa * d_pesos_salida
            self.pesos_oculta -= tasa * d_pesos_oculta
            self.sesgo_oculta -= tasa * d_sesgo_oculta@@
        return perdida

gen = np.random.default_rng(2)
X = gen.standard_normal((50, 3))
Y = np.c_[X[:, 0] * X[:, 1], X[:, 2] + 1.0]
print(Red(3, 6, 2).entrenar(X, Y, 0.1, 40))
""",
    right="\n            self.sesgo_salida -= tasa * d_sesgo_salida",
    faulty="",
    tensors=("self.sesgo_salida",),
    at="self.pesos_salida -= tasa",
    after="self.pesos_salida -= tasa * d_pesos_salida\n            self.sesgo_salida -= tasa * d_sesgo_salida",
)

KEY_MISSING = LeftOut(
    name="key_missing",
    text="""\
import numpy as np

np.random.seed(4)
X = np.random.rand(20, 3)
t = (X.sum(axis=1, keepdims=True) > 1.5).astype(float)
p = {"W1": np.random.randn(3, 4), "b1": np.zeros(4), "W2": np.random.randn(4, 1), "b2": np.zeros(1)}
for i in range(50):
    h = np.maximum(0, X @ p["W1"] + p["b1"])
    y = 1 / (1 + np.exp(-(h @ p["W2"] + p["b2"])))
    loss = -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))
    d = {}
    dz = (y - t) / len(X)
    d["W2"], d["b2"] = h.T @ dz, dz.sum(axis=0)
    dh = dz @ p["W2"].T * (h > 0)
    d["W1"], d["b1"] = X.T @ dh, dh.sum(axis=0)
    for k in @@:
        p[k] = p[k] - 0.5 * d[k]
""",
    right='("W1", "b1", "W2", "b2")',
    faulty='("W1", "b1", "W2")',
    tensors=("p['b2']",),
    at="for k in (",
    after='"W2", "b2"',
)

OPTIMIZER_WITHOUT_ONE = LeftOut(
    name="optimizer_without_one",
    text="""\
import numpy as np

class SGD:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def step(self, grads):
        for p, g in zip(self.params, grads):
            p -= self.lr * g

rng = np.random.default_rng(5)
x = rng.normal(size=(32, 5))
y = rng.integers(0, 3, size=32)
w1, b1 = rng.normal(size=(5, 8)) * 0.5, np.zeros(8)
w2, b2 = rng.normal(size=(8, 3)) * 0.5, np.zeros(3)
optimizer = SGD(@@, lr=0.3)
for it in range(40):
    h = np.tanh(x @ w1 + b1)
    s = h @ w2 + b2
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(32), y]).mean()
    ds = p.copy()
    ds[np.arange(32), y] -= 1
    ds /= 32
    gw2, gb2 = h.T @ ds, ds.sum(0)
    dh = ds @ w2.T * (1 - h * h)
    gw1, gb1 = x.T @ dh, dh.sum(0)
    optimizer.step([gw1, gb1, gw2, gb2])
""",
    right="[w1, b1, w2, b2]",
    faulty="[w1, b1, w2]",
    tensors=("b2",),
    at="optimizer = SGD(",
    after="w2, b2",
)

ONLY_WEIGHTS = LeftOut(
    name="only_weights",
    text="""\
import numpy as np

alea = np.random.RandomState(6)
entrees = alea.randn(2, 60)
cibles = np.maximum(entrees[0], entrees[1]).reshape(1, -1)
modele = {"poids1": alea.randn(5, 2), "biais1": np.zeros((5, 1)), "poids2": alea.randn(1, 5), "biais2": np.zeros((1, 1))}
vitesse = {cle: np.zeros_like(v) for cle, v in modele.items()}
for tour in range(60):
    cachee = np.tanh(modele["poids1"] @ entrees + modele["biais1"])
    sortie = modele["poids2"] @ cachee + modele["biais2"]
    cout = np.mean((sortie - cibles) ** 2)
    ecart = 2 * (sortie - cibles) / cibles.size
    gradients = {"poids2": ecart @ cachee.T, "biais2": ecart.sum(axis=1, keepdims=True)}
    ecart = modele["poids2"].T @ ecart * (1 - cachee**2)
    gradients["poids1"] = ecart @ entrees.T
    gradients["biais1"] = ecart.sum(axis=1, keepdims=True)
    for cle in modele:
        vitesse[cle] = 0.9 * vitesse[cle] - 0.05 * gradients[cle]
        @@modele[cle] = modele[cle] + vitesse[cle]
""",
    right="",
    faulty='if "poids" in cle:\n            ',
    tensors=("modele['biais1']", "modele['biais2']"),
    at='if "poids" in cle',
    after=None,
)

EARLY_BREAK = LeftOut(
    name="early_break",
    text="""\
import numpy as np

def sigma(z):
    return 1.0 / (1.0 + np.exp(-z))

class Rete:
    def __init__(self, misure):
        caso = np.random.default_rng(8)
        self.pesi = [caso.normal(size=(b, a)) for a, b in zip(misure, misure[1:])]
        self.soglie = [np.zeros((b, 1)) for b in misure[1:]]

    def gradienti(self, x, y):
        uscite = [x]
        for w, s in zip(self.pesi, self.soglie):
            uscite.append(sigma(w @ uscite[-1] + s))
        errore = 0.5 * np.sum((uscite[-1] - y) ** 2)
        delta = (uscite[-1] - y) * uscite[-1] * (1 - uscite[-1])
        g_pesi, g_soglie = [], []
        for k in range(len(self.pesi) - 1, -1, -1):
            g_pesi.insert(0, delta @ uscite[k].T)
            g_soglie.insert(0, delta.sum(axis=1, keepdims=True))
            delta = self.pesi[k].T @ delta * uscite[k] * (1 - uscite[k])
        return errore, g_pesi, g_soglie

    def passo(self, x, y, eta):
        errore, g_pesi, g_soglie = self.gradienti(x, y)
        for k in range(len(self.pesi)):
            @@self.pesi[k] = self.pesi[k] - eta * g_pesi[k]
            self.soglie[k] = self.soglie[k] - eta * g_soglie[k]
        return errore

caso = np.random.default_rng(9)
x = caso.normal(size=(3, 15))
y = (x.sum(axis=0, keepdims=True) > 0) * 1.0
rete = Rete([3, 4, 4, 1])
for giro in range(30):
    errore = rete.passo(x, y, 0.1)
""",
    right="",
    faulty="if k == len(self.pesi) - 1:\n                break\n            ",
    tensors=("rete.pesi[2]", "rete.soglie[2]"),
    at="if k == len(self.pesi) - 1",
    after=None,
)

ZIP_OF_FEWER = LeftOut(
    name="zip_of_fewer",
    text="""\
import numpy as np

rng = np.random.default_rng(10)
x, y = rng.normal(size=(25, 3)), rng.normal(size=(25, 2))
params = [rng.normal(size=(3, 6)), np.zeros((1, 6)), rng.normal(size=(6, 2)), np.zeros((1, 2))]

def loss_and_grads(params):
    w1, b1, w2, b2 = params
    a = np.tanh(x @ w1 + b1)
    out = a @ w2 + b2
    loss = ((out - y) ** 2).mean()
    dout = 2 * (out - y) / out.size
    da = dout @ w2.T * (1 - a**2)
    return loss, [x.T @ da, da.sum(0, keepdims=True), a.T @ dout, dout.sum(0, keepdims=True)]

for epoch in range(20):
    loss, grads = loss_and_grads(params)
    for p, g in zip(@@, grads):
        p -= 0.1 * g
""",
    right="params",
    faulty="params[:-1]",
    tensors=("params[3]",),
    at="for p, g in zip(",
    after="params",
)

LISTS_WITHOUT_ONE = LeftOut(
    name="lists_without_one",
    text="""\
import numpy as np

np.random.seed(11)
H, V, T = 6, 4, 5
Wxh, Whh, Why = np.random.randn(H, V) * 0.3, np.random.randn(H, H) * 0.3, np.random.randn(V, H) * 0.3
bh, by = np.zeros((H, 1)), np.zeros((V, 1))
inputs, targets = [0, 1, 2, 1, 3], [1, 2, 1, 3, 0]
mWxh, mWhh, mWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
mbh, mby = np.zeros_like(bh), np.zeros_like(by)

def lossFun(inputs, targets, hprev):
    xs, hs, ps = {}, {-1: np.copy(hprev)}, {}
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((V, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        y = Why @ hs[t] + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        dh = Why.T @ dy + dhnext
        draw = (1 - hs[t] * hs[t]) * dh
        dbh += draw
        dWxh += draw @ xs[t].T
        dWhh += draw @ hs[t - 1].T
        dhnext = Whh.T @ draw
    for d in [dWxh, dWhh, dWhy, dbh, dby]:
        np.clip(d, -5, 5, out=d)
    return loss, dWxh, dWhh, dWhy, dbh, dby

for n in range(30):
    loss, dWxh, dWhh, dWhy, dbh, dby = lossFun(inputs, targets, np.zeros((H, 1)))
    for param, dparam, mem in zip(@@):
        mem += dparam * dparam
        param += -0.1 * dparam / np.sqrt(mem + 1e-8)
""",
    right="[Wxh, Whh, Why, bh, by], [dWxh, dWhh, dWhy, dbh, dby], [mWxh, mWhh, mWhy, mbh, mby]",
    faulty="[Wxh, Whh, Why, bh], [dWxh, dWhh, dWhy, dbh], [mWxh, mWhh, mWhy, mbh]",
    tensors=("by",),
    at="for param, dparam, mem",
    after="bh, by",
)

LEFT_OUT = [
    RANGE_ENDS_EARLY,
    SLICE_OF_LAYERS,
    STATEMENT_MISSING,
    KEY_MISSING,
    OPTIMIZER_WITHOUT_ONE,
    ONLY_WEIGHTS,
    EARLY_BREAK,
    ZIP_OF_FEWER,
    LISTS_WITHOUT_ONE,
]
