x, y = -1.0, 1.5
lr = 0.002
for i in range(100):
    f = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    gx = -2 * (1 - x) - 400 * x * (y - x**2)
    gy = 200 * (y - x**2)
    x -= lr * gx
    y -= lr * gy
print(x, y, f)
