import math
import random

random.seed(0)


def sigmoid(v):
    return 1 / (1 + math.exp(-v))


i1, i2 = 0.05, 0.10
target_o1, target_o2 = 0.01, 0.99
w1, w2, w3, w4 = 0.15, 0.20, 0.25, 0.30
w5, w6, w7, w8 = 0.40, 0.45, 0.50, 0.55
b1, b2 = 0.35, 0.60
eta = 0.5

for step in range(400):
    # forward
    net_h1 = w1 * i1 + w2 * i2 + b1
    net_h2 = w3 * i1 + w4 * i2 + b1
    out_h1 = sigmoid(net_h1)
    out_h2 = sigmoid(net_h2)
    net_o1 = w5 * out_h1 + w6 * out_h2 + b2
    net_o2 = w7 * out_h1 + w8 * out_h2 + b2
    out_o1 = sigmoid(net_o1)
    out_o2 = sigmoid(net_o2)

    E_o1 = 0.5 * (target_o1 - out_o1) ** 2
    E_o2 = 0.5 * (target_o2 - out_o2) ** 2
    E_total = E_o1 + E_o2
    if step % 50 == 0:
        print(step, round(E_total, 9))

    # backward
    delta_o1 = -(target_o1 - out_o1) * out_o1 * (1 - out_o1)
    delta_o2 = -(target_o2 - out_o2) * out_o2 * (1 - out_o2)
    d_w5 = delta_o1 * out_h1
    d_w6 = delta_o1 * out_h2
    d_w7 = delta_o2 * out_h1
    d_w8 = delta_o2 * out_h2
    d_b2 = delta_o1 + delta_o2

    delta_h1 = (delta_o1 * w5 + delta_o2 * w7) * out_h1 * (1 - out_h1)
    delta_h2 = (delta_o1 * w6 + delta_o2 * w8) * out_h2 * (1 - out_h2)
    d_w1 = delta_h1 * i1
    d_w2 = delta_h1 * i2
    d_w3 = delta_h2 * i1
    d_w4 = delta_h2 * i2
    d_b1 = delta_h1 + delta_h2

    w1 -= eta * d_w1
    w2 -= eta * d_w2
    w3 -= eta * d_w3
    w4 -= eta * d_w4
    w5 -= eta * d_w5
    w6 -= eta * d_w6
    w7 -= eta * d_w7
    w8 -= eta * d_w8
    b1 -= eta * d_b1
    b2 -= eta * d_b2
