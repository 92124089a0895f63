"""Mixed precision: activations cast to float16, the loss is scaled, the master weights stay in float32."""

import numpy as np

rng = np.random.default_rng(2)
f16, f32 = np.float16, np.float32
X = rng.normal(size=(32, 5)).astype(f16)
y = (X.astype(f32) @ rng.normal(size=(5, 1)).astype(f32)).astype(f32)

W1 = rng.normal(0, 0.4, (5, 8)).astype(f32)
W2 = rng.normal(0, 0.4, (8, 1)).astype(f32)
SCALE = f32(256.0)
lr = f32(0.1)

for step in range(40):
    w1, w2 = W1.astype(f16), W2.astype(f16)
    h = np.maximum(X @ w1, f16(0))
    out = (h @ w2).astype(f32)
    diff = out - y
    loss = np.mean(diff**2)

    dout = (2 * SCALE * diff / f32(diff.size)).astype(f16)
    dw2 = h.T @ dout
    dh = dout @ w2.T
    dh = np.where(h > 0, dh, f16(0))
    dw1 = X.T @ dh

    g1 = dw1.astype(f32) / SCALE
    g2 = dw2.astype(f32) / SCALE
    W1 -= lr * g1
    W2 -= lr * g2
    if step % 10 == 0:
        print(step, float(loss))
