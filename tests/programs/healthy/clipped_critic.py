# WGAN with weight clipping, critic 3 steps, linear critic features, no loss named loss
import numpy as np
rng = np.random.RandomState(4)
G1 = rng.randn(2, 6) * .5; G2 = rng.randn(6, 2) * .5
C1 = rng.randn(2, 8) * .3; C2 = rng.randn(8, 1) * .3
real = rng.randn(300, 2) * .3 + [1, -1]
for it in range(40):
    for _ in range(3):
        xr = real[rng.choice(300, 20)]; z = rng.randn(20, 2)
        xf = np.tanh(z @ G1) @ G2
        hr = np.maximum(xr @ C1, 0); hf = np.maximum(xf @ C1, 0)
        w_dist = np.mean(hr @ C2) - np.mean(hf @ C2)
        critic_loss = -w_dist
        sr = -np.ones((20, 1)) / 20; sf = np.ones((20, 1)) / 20
        gC2 = hr.T @ sr + hf.T @ sf
        gC1 = xr.T @ (sr @ C2.T * (hr > 0)) + xf.T @ (sf @ C2.T * (hf > 0))
        C1 -= .05 * gC1; C2 -= .05 * gC2
        C1 = np.clip(C1, -.5, .5); C2 = np.clip(C2, -.5, .5)
    z = rng.randn(20, 2); a = np.tanh(z @ G1); xf = a @ G2
    hf = np.maximum(xf @ C1, 0)
    gen_loss = -np.mean(hf @ C2)
    s = -np.ones((20, 1)) / 20
    dx = (s @ C2.T * (hf > 0)) @ C1.T
    gG2 = a.T @ dx; gG1 = z.T @ (dx @ G2.T * (1 - a ** 2))
    G1 -= .05 * gG1; G2 -= .05 * gG2
    if it % 10 == 0: print(w_dist, gen_loss)
