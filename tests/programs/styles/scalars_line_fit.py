import random

random.seed(3)
points = []
for _ in range(40):
    px = random.uniform(0, 4)
    points.append((px, 1.7 * px - 0.6 + random.gauss(0, 0.2)))


def compute_error(b, m, points):
    total = 0
    for x, y in points:
        total += (y - (m * x + b)) ** 2
    return total / float(len(points))


def step_gradient(b_current, m_current, points, learning_rate):
    b_gradient = 0
    m_gradient = 0
    n = float(len(points))
    for x, y in points:
        b_gradient += -(2 / n) * (y - ((m_current * x) + b_current))
        m_gradient += -(2 / n) * x * (y - ((m_current * x) + b_current))
    new_b = b_current - (learning_rate * b_gradient)
    new_m = m_current - (learning_rate * m_gradient)
    return new_b, new_m


b = 0.0
m = 0.0
print("Starting gradient descent at b = {0}, m = {1}, error = {2}".format(b, m, compute_error(b, m, points)))
for i in range(200):
    b, m = step_gradient(b, m, points, 0.05)
print("After {0} iterations b = {1}, m = {2}, error = {3}".format(200, b, m, compute_error(b, m, points)))
