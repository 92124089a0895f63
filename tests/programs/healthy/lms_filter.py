"""Noise cancelling with LMS and normalised LMS filters (signal processing course)."""
import numpy as np

rng = np.random.default_rng(30)
N, taps = 300, 5
noise = rng.normal(size=N + taps)
channel = np.array([0.6, -0.3, 0.1, 0.05, 0.0])
speech = 0.5 * np.sin(0.05 * np.arange(N))
primary = speech + np.array([channel @ noise[n:n + taps][::-1] for n in range(N)])

w = np.zeros(taps)
mu = 0.02
cleaned = np.zeros(N)
mse = 0.0
for n in range(N):
    x = noise[n:n + taps][::-1]
    y = w @ x
    e = primary[n] - y
    w = w + 2 * mu * e * x
    cleaned[n] = e
    mse += e * e / N
print("residual power", mse, "weights", np.round(w, 2))
