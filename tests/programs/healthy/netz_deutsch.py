"""Ein kleines Netz mit deutschen Namen, Gewichtsabnahme im Gradienten."""
import numpy as np

zufall = np.random.RandomState(6)
eingaben = zufall.randn(45, 5)
ziele = np.eye(3)[zufall.randint(0, 3, 45)]


class Schicht:
    def __init__(self, ein, aus):
        self.gewichte = zufall.randn(ein, aus) * np.sqrt(1 / ein)
        self.schwellen = np.zeros((1, aus))

    def vorwaerts(self, x):
        self.x = x
        return x @ self.gewichte + self.schwellen

    def rueckwaerts(self, fehler, rate, abnahme):
        weiter = fehler @ self.gewichte.T
        self.gewichte -= rate * (self.x.T @ fehler + abnahme * self.gewichte)
        self.schwellen -= rate * fehler.sum(axis=0, keepdims=True)
        return weiter


class Knick:
    def vorwaerts(self, x):
        self.maske = x > 0
        return x * self.maske

    def rueckwaerts(self, fehler, rate, abnahme):
        return fehler * self.maske


netz = [Schicht(5, 9), Knick(), Schicht(9, 3)]
for runde in range(30):
    z = eingaben
    for teil in netz:
        z = teil.vorwaerts(z)
    q = np.exp(z - z.max(axis=1, keepdims=True))
    q = q / q.sum(axis=1, keepdims=True)
    kosten = -np.sum(ziele * np.log(q)) / len(eingaben)
    fehler = (q - ziele) / len(eingaben)
    for teil in reversed(netz):
        fehler = teil.rueckwaerts(fehler, 0.2, 0.001)
print("Kosten", kosten)
