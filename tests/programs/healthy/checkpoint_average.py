import json
import logging
from copy import deepcopy
from pathlib import Path
import tempfile
import numpy as np

CONFIG = json.loads("""{
  "seed": 77, "layers": [5, 12, 12, 1], "activation": "softplus",
  "optimizer": {"name": "rmsprop", "lr": 0.005, "decay": 0.9},
  "epochs": 12, "batch_size": 20, "clip": 5.0, "average_last": 4
}""")
logger = logging.getLogger(__name__)

ACT = {
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: 1 / (1 + np.exp(-z))),
    "relu": (lambda z: z * (z > 0), lambda z: (z > 0).astype(z.dtype)),
}


class Regressor:
    def __init__(self, cfg):
        self.cfg = cfg
        rng = np.random.default_rng(cfg["seed"])
        sizes = cfg["layers"]
        self.w = [rng.normal(0, np.sqrt(2 / i), (i, o)) for i, o in zip(sizes, sizes[1:])]
        self.b = [np.zeros((1, o)) for o in sizes[1:]]
        self.act, self.act_grad = ACT[cfg["activation"]]
        self.cache_w = [np.zeros_like(w) for w in self.w]
        self.cache_b = [np.zeros_like(b) for b in self.b]

    def forward(self, x):
        self.zs, self.hs = [], [x]
        last = len(self.w) - 1
        for k, (w, b) in enumerate(zip(self.w, self.b)):
            z = self.hs[-1] @ w + b
            self.zs.append(z)
            self.hs.append(z if k == last else self.act(z))
        return self.hs[-1]

    def backward(self, upstream):
        gw, gb = [None] * len(self.w), [None] * len(self.b)
        for k in reversed(range(len(self.w))):
            if k < len(self.w) - 1:
                upstream = upstream * self.act_grad(self.zs[k])
            gw[k] = self.hs[k].T @ upstream
            gb[k] = np.sum(upstream, axis=0, keepdims=True)
            upstream = upstream @ self.w[k].T
        return gw, gb

    def apply(self, gw, gb):
        opt = self.cfg["optimizer"]
        norm = np.sqrt(sum(float((g**2).sum()) for g in gw + gb))
        scale = min(1.0, self.cfg["clip"] / (norm + 1e-12))
        for k in range(len(self.w)):
            g = gw[k] * scale
            self.cache_w[k] = opt["decay"] * self.cache_w[k] + (1 - opt["decay"]) * g**2
            self.w[k] -= opt["lr"] * g / (np.sqrt(self.cache_w[k]) + 1e-7)
            g = gb[k] * scale
            self.cache_b[k] = opt["decay"] * self.cache_b[k] + (1 - opt["decay"]) * g**2
            self.b[k] -= opt["lr"] * g / (np.sqrt(self.cache_b[k]) + 1e-7)


def log_cosh(e):
    return np.logaddexp(e, -e) - np.log(2.0)


def train(model, x, y, folder):
    rng = np.random.default_rng(1)
    kept = []
    for epoch in range(CONFIG["epochs"]):
        order = rng.permutation(len(x))
        running = 0.0
        for start in range(0, len(x), CONFIG["batch_size"]):
            pick = order[start:start + CONFIG["batch_size"]]
            error = model.forward(x[pick]) - y[pick]
            loss = float(np.mean(log_cosh(error)))
            running += loss * len(pick)
            model.apply(*model.backward(np.tanh(error) / error.size))
        np.savez(folder / f"epoch{epoch}.npz", *model.w, *model.b)
        kept = (kept + [folder / f"epoch{epoch}.npz"])[-CONFIG["average_last"]:]
        logger.info("epoch %d loss %.5f", epoch, running / len(x))
    files = [np.load(f) for f in kept]
    mean = [np.mean([f[k] for f in files], axis=0) for k in files[0].files]
    model.w, model.b = mean[:len(model.w)], mean[len(model.w):]
    return running / len(x)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    gen = np.random.default_rng(5)
    x = gen.uniform(-1, 1, (120, 5))
    y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]
    net = Regressor(deepcopy(CONFIG))
    with tempfile.TemporaryDirectory() as d:
        print("last epoch", round(train(net, x, y, Path(d)), 4))
    print("averaged", round(float(np.mean(log_cosh(net.forward(x) - y))), 4))
