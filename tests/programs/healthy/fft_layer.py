"""A layer that filters in the frequency domain; real and imaginary part of the filter are parameters."""

import numpy as np

rng = np.random.default_rng(14)
N, L = 10, 16
F = L // 2 + 1
x = rng.normal(size=(N, L))
kernel = np.array([0.5, 0.3, 0.2])
y = np.real(np.fft.ifft(np.fft.fft(x, axis=1) * np.fft.fft(kernel, L), axis=1))

re = rng.normal(0, 0.1, L)
im = rng.normal(0, 0.1, L)
w = rng.normal(0, 0.3, (L, L)) + np.eye(L)

for step in range(60):
    X = np.fft.fft(x, axis=1)
    H = re + 1j * im
    v = np.fft.ifft(X * H, axis=1).real
    u = v @ w
    e = u - y
    loss = np.mean(e**2)

    du = 2 * e / e.size
    dw = v.T @ du
    dv = du @ w.T
    # v = Re(sum_f X_f H_f exp(+i...)) / L
    G = np.fft.fft(dv, axis=1) / L
    prod = np.conj(G) * X
    dre = prod.real.sum(axis=0)
    dim = -prod.imag.sum(axis=0)

    re = re - 2.0 * dre
    im = im - 2.0 * dim
    w = w - 0.1 * dw
    if step % 20 == 0:
        print(step, loss)
