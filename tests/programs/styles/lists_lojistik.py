import math
import random

random.seed(12)

ornekler = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(30)]
hedefler = [1.0 if o[0] - 2 * o[1] + 0.5 * o[2] > 0.1 else 0.0 for o in ornekler]


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def tahmin(agirliklar, sapma, ornek):
    return sigmoid(sum(a * x for a, x in zip(agirliklar, ornek)) + sapma)


def kayip(agirliklar, sapma):
    toplam = 0.0
    for ornek, hedef in zip(ornekler, hedefler):
        p = tahmin(agirliklar, sapma, ornek)
        toplam -= hedef * math.log(p) + (1 - hedef) * math.log(1 - p)
    return toplam / len(ornekler)


agirliklar = [0.1, -0.2, 0.05]
sapma = 0.0
hiz = 0.8
n = len(ornekler)

for adim in range(150):
    hatalar = [tahmin(agirliklar, sapma, o) - h for o, h in zip(ornekler, hedefler)]
    egim = [sum(hata * ornek[k] for hata, ornek in zip(hatalar, ornekler)) / n for k in range(3)]
    egim_sapma = sum(hatalar) / n
    agirliklar = [a - hiz * g for a, g in zip(agirliklar, egim)]
    sapma = sapma - hiz * egim_sapma
    if adim % 30 == 0:
        print(adim, kayip(agirliklar, sapma))

dogru = sum((tahmin(agirliklar, sapma, o) > 0.5) == (h == 1.0) for o, h in zip(ornekler, hedefler))
print("doğru:", dogru, "/", n)
