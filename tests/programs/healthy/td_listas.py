# V(s) TD(0), plain lists, per sample, own language
import random, math
random.seed(3)
pesos = [random.uniform(-.5, .5) for _ in range(3)]; saida = [random.uniform(-.5, .5) for _ in range(3)]
def valor(x):
    h = [math.tanh(p * x) for p in pesos]
    return sum(o * k for o, k in zip(saida, h)), h
taxa, gama = 0.05, 0.8
for ep in range(20):
    erro_total = 0
    x = random.uniform(-1, 1)
    for t in range(8):
        x2 = x + random.uniform(-.3, .3); rec = math.sin(x)
        v, h = valor(x)
        v2, _ = valor(x2)
        alvo = rec + gama * v2
        erro = v - alvo
        erro_total += 0.5 * erro ** 2
        for i in range(3):
            g_saida = erro * h[i]
            g_peso = erro * saida[i] * (1 - h[i] ** 2) * x
            saida[i] -= taxa * g_saida
            pesos[i] -= taxa * g_peso
        x = x2
    print(ep, erro_total)
