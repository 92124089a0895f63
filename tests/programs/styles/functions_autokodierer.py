import numpy as np

zufall = np.random.RandomState(5)
ANZAHL, EINGANG, ENGPASS = 50, 6, 3


def erzeuge_daten():
    versteckt = zufall.randn(ANZAHL, 2)
    mischung = zufall.randn(2, EINGANG)
    return np.tanh(versteckt @ mischung) + 0.05 * zufall.randn(ANZAHL, EINGANG)


def kodiere(modell, daten):
    return np.tanh(daten @ modell["gewichte_ein"] + modell["schwelle_ein"])


def dekodiere(modell, kode):
    return kode @ modell["gewichte_aus"] + modell["schwelle_aus"]


def berechne_fehler(modell, daten):
    rekonstruktion = dekodiere(modell, kodiere(modell, daten))
    return 0.5 * np.sum((rekonstruktion - daten) ** 2) / len(daten)


def lernschritt(modell, daten, rate):
    kode = kodiere(modell, daten)
    rekonstruktion = dekodiere(modell, kode)
    anzahl = len(daten)

    delta_aus = (rekonstruktion - daten) / anzahl
    delta_kode = delta_aus @ modell["gewichte_aus"].T
    delta_ein = delta_kode * (1 - kode ** 2)

    modell["gewichte_aus"] -= rate * (kode.T @ delta_aus)
    modell["schwelle_aus"] -= rate * delta_aus.sum(0)
    modell["gewichte_ein"] -= rate * (daten.T @ delta_ein)
    modell["schwelle_ein"] -= rate * delta_ein.sum(0)
    return modell


daten = erzeuge_daten()
modell = {
    "gewichte_ein": 0.5 * zufall.randn(EINGANG, ENGPASS),
    "schwelle_ein": np.zeros(ENGPASS),
    "gewichte_aus": 0.5 * zufall.randn(ENGPASS, EINGANG),
    "schwelle_aus": np.zeros(EINGANG),
}
for durchlauf in range(500):
    modell = lernschritt(modell, daten, rate=0.1)
    if durchlauf % 100 == 99:
        print("Durchlauf", durchlauf + 1, "Fehler", round(berechne_fehler(modell, daten), 5))
