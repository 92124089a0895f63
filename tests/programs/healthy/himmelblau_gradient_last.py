import numpy as np

def f(p):
    x, y = p
    return (x**2 + y - 11)**2 + (x + y**2 - 7)**2

def grad_f(p):
    x, y = p
    return np.array([4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7),
                     2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7)])

p = np.array([0.5, 1.0])
path = [p]
g = grad_f(p)
k = 0
while np.linalg.norm(g) > 1e-4 and k < 500:
    p = p - 0.01 * g
    path.append(p)
    g = grad_f(p)
    k += 1
print("steps", k, "at", p, "f =", f(p))
