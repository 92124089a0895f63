import numpy as np

rng = np.random.default_rng(54)
x, P = np.zeros(2), np.eye(2)
F, H = np.array([[1, 0.1], [0, 1]]), np.array([[1.0, 0]])
Q, R = 0.01 * np.eye(2), np.array([[0.5]])
for k in range(40):
    z = np.array([np.sin(0.1 * k)]) + 0.3 * rng.normal(size=1)
    x = F @ x
    P = F @ P @ F.T + Q
    e = z - H @ x
    S = H @ P @ H.T + R
    K = P @ H.T @ np.linalg.inv(S)
    x = x + K @ e
    P = (np.eye(2) - K @ H) @ P
print(x)
