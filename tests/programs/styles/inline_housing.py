import numpy as np

rng = np.random.default_rng(2024)
area = rng.uniform(0.4, 2.2, size=(48, 1))
price = 0.8 + 1.9 * area + 0.1 * rng.normal(size=(48, 1))

x = (area - area.mean()) / area.std()
y = price

w = 0.0
c = 0.0
lr = 0.1

history = []
for epoch in range(120):
    pred = w * x + c
    mse = np.mean((pred - y) ** 2)
    history.append(mse)

    residual = pred - y
    dw = 2 * np.mean(residual * x)
    dc = 2 * np.mean(residual)
    w = w - lr * dw
    c = c - lr * dc

    if epoch % 20 == 0:
        print(f'epoch {epoch:3d}: mse={mse:.4f} w={w:.3f} c={c:.3f}')
