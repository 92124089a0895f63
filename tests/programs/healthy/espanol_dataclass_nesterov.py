"""Práctica 4: red con dataclasses y función de coste entropía cruzada + momento de Nesterov."""
from dataclasses import dataclass, field
import numpy as np


@dataclass
class Hiperparametros:
    tasa: float = 0.2
    momento: float = 0.9
    iteraciones: int = 15
    ocultas: int = 9


@dataclass
class Parametros:
    pesos1: np.ndarray
    sesgo1: np.ndarray
    pesos2: np.ndarray
    sesgo2: np.ndarray

    @classmethod
    def aleatorios(cls, entradas, ocultas, salidas, rng):
        return cls(
            pesos1=rng.normal(0, 0.5, (ocultas, entradas)),
            sesgo1=np.zeros((ocultas, 1)),
            pesos2=rng.normal(0, 0.5, (salidas, ocultas)),
            sesgo2=np.zeros((salidas, 1)),
        )

    def ceros(self):
        return Parametros(*(np.zeros_like(v) for v in vars(self).values()))


@dataclass
class Modelo:
    hp: Hiperparametros
    theta: Parametros
    velocidad: Parametros = field(init=False)

    def __post_init__(self):
        self.velocidad = self.theta.ceros()

    def adelante(self, x):
        z1 = self.theta.pesos1 @ x + self.theta.sesgo1
        a1 = np.where(z1 > 0, z1, 0.01 * z1)
        z2 = self.theta.pesos2 @ a1 + self.theta.sesgo2
        exp = np.exp(z2 - z2.max(axis=0))
        return z1, a1, exp / exp.sum(axis=0)

    @staticmethod
    def coste(prob, y):
        return -np.mean(np.log(prob[y, np.arange(y.size)]))

    def atras(self, x, y, z1, a1, prob):
        n = y.size
        d2 = prob.copy()
        d2[y, np.arange(n)] -= 1
        d2 /= n
        d1 = (self.theta.pesos2.T @ d2) * np.where(z1 > 0, 1, 0.01)
        return Parametros(
            pesos1=d1 @ x.T,
            sesgo1=d1.sum(axis=1, keepdims=True),
            pesos2=d2 @ a1.T,
            sesgo2=d2.sum(axis=1, keepdims=True),
        )

    def paso(self, gradientes):
        for nombre, g in vars(gradientes).items():
            v = getattr(self.velocidad, nombre)
            v_nueva = self.hp.momento * v - self.hp.tasa * g
            setattr(self.velocidad, nombre, v_nueva)
            p = getattr(self.theta, nombre)
            setattr(self.theta, nombre, p - self.hp.momento * v + (1 + self.hp.momento) * v_nueva)


def generar_espiral(rng, por_clase=10, clases=3):
    puntos, etiquetas = [], []
    for c in range(clases):
        r = np.linspace(0.1, 1, por_clase)
        t = np.linspace(c * 4, (c + 1) * 4, por_clase) + rng.normal(0, 0.2, por_clase)
        puntos.append(np.stack([r * np.sin(t), r * np.cos(t)]))
        etiquetas += [c] * por_clase
    return np.hstack(puntos), np.array(etiquetas)


rng = np.random.default_rng(11)
x, y = generar_espiral(rng)
hp = Hiperparametros()
modelo = Modelo(hp, Parametros.aleatorios(2, hp.ocultas, 3, rng))
costes = []
for it in range(hp.iteraciones):
    z1, a1, prob = modelo.adelante(x)
    costes.append(modelo.coste(prob, y))
    modelo.paso(modelo.atras(x, y, z1, a1, prob))
print("coste inicial", costes[0], "coste final", costes[-1])
