import numpy as np

np.random.seed(7)
entrada = np.random.rand(30, 3)
salida_deseada = (entrada.sum(axis=1, keepdims=True) > 1.5).astype(float)
pesos_ocultos = np.random.uniform(-1, 1, (3, 6))
pesos_salida = np.random.uniform(-1, 1, (6, 1))
sesgo_oculto = np.zeros((1, 6))
sesgo_salida = np.zeros((1, 1))
tasa = 0.5


def sigmoide(x):
    return 1 / (1 + np.exp(-x))


def derivada(s):
    return s * (1 - s)


for epoca in range(60):
    oculta = sigmoide(np.dot(entrada, pesos_ocultos) + sesgo_oculto)
    prediccion = sigmoide(np.dot(oculta, pesos_salida) + sesgo_salida)
    diferencia = salida_deseada - prediccion
    delta_salida = diferencia * derivada(prediccion)
    delta_oculta = delta_salida.dot(pesos_salida.T) * derivada(oculta)
    pesos_salida += tasa * oculta.T.dot(delta_salida)
    sesgo_salida += tasa * np.sum(delta_salida, axis=0, keepdims=True)
    pesos_ocultos += tasa * entrada.T.dot(delta_oculta)
    sesgo_oculto += tasa * np.sum(delta_oculta, axis=0, keepdims=True)
    if epoca % 20 == 0:
        print("error medio:", np.mean(np.abs(diferencia)))
