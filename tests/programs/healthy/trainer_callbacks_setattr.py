import json
import logging
import os
import tempfile
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)


class Callback:
    def on_epoch_end(self, trainer, epoch, logs):
        pass


class Checkpoint(Callback):
    def __init__(self, path):
        self.path, self.best = path, np.inf

    def on_epoch_end(self, trainer, epoch, logs):
        if logs["loss"] < self.best:
            self.best = logs["loss"]
            np.savez(self.path, **trainer.model.state())


class ReduceOnPlateau(Callback):
    def __init__(self, factor=0.5, patience=2):
        self.factor, self.patience, self.best, self.wait = factor, patience, np.inf, 0

    def on_epoch_end(self, trainer, epoch, logs):
        if logs["loss"] < self.best - 1e-4:
            self.best, self.wait = logs["loss"], 0
        else:
            self.wait += 1
            if self.wait >= self.patience:
                trainer.lr *= self.factor
                self.wait = 0


class LogisticOneVsRest:
    def __init__(self, features, classes, seed=0):
        r = np.random.default_rng(seed)
        self.theta = r.normal(0, 0.1, (features, classes))
        self.intercept = np.zeros(classes)

    def state(self):
        return {"theta": self.theta, "intercept": self.intercept}

    def decision(self, x):
        return x @ self.theta + self.intercept

    def loss_and_gradients(self, x, t, l2):
        s = self.decision(x)
        # log(1 + exp(s)) - t * s, stable
        loss = np.mean(np.maximum(s, 0) - t * s + np.log1p(np.exp(-np.abs(s)))) + l2 * np.sum(self.theta**2)
        p = 1 / (1 + np.exp(-s))
        ds = (p - t) / t.size
        return loss, {"theta": x.T @ ds + 2 * l2 * self.theta, "intercept": ds.sum(axis=0)}


class Trainer:
    def __init__(self, model, lr, callbacks=()):
        self.model, self.lr, self.callbacks = model, lr, list(callbacks)
        self.history = []

    def fit(self, x, t, epochs):
        for epoch in range(epochs):
            loss, grads = self.model.loss_and_gradients(x, t, l2=1e-3)
            for name, g in grads.items():
                setattr(self.model, name, getattr(self.model, name) - self.lr * g)
            logs = {"loss": float(loss), "lr": self.lr}
            self.history.append(logs)
            for c in self.callbacks:
                c.on_epoch_end(self, epoch, logs)
            logger.debug("epoch %d %s", epoch, json.dumps(logs))
        return self


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    rng = np.random.default_rng(4)
    x = rng.normal(size=(120, 5))
    cls = np.argmax(x[:, :3] + 0.3 * rng.normal(size=(120, 3)), axis=1)
    t = np.eye(3)[cls]
    out = Path(tempfile.mkdtemp())
    trainer = Trainer(LogisticOneVsRest(5, 3), 2.0, [Checkpoint(os.fspath(out / "best.npz")), ReduceOnPlateau()])
    trainer.fit(x, t, 60)
    print(trainer.history[0], trainer.history[-1])
    with np.load(out / "best.npz") as best:
        print(best["theta"].shape)
