import numpy as np


class Context:
    def save_for_backward(self, *values):
        self.saved = values


class Function:
    @classmethod
    def apply(cls, *inputs):
        ctx = Context()
        values = [i.value if isinstance(i, Var) else i for i in inputs]
        out = Var(cls.forward(ctx, *values))
        out.creator = (cls, ctx, inputs)
        return out


class Var:
    def __init__(self, value):
        self.value = value
        self.grad = None
        self.creator = None

    def backward(self, grad_output=None):
        if grad_output is None:
            grad_output = np.array(1.0)
        self.grad = grad_output if self.grad is None else self.grad + grad_output
        if self.creator is None:
            return
        fn, ctx, inputs = self.creator
        grads = fn.backward(ctx, grad_output)
        for inp, g in zip(inputs, grads):
            if isinstance(inp, Var) and g is not None:
                inp.backward(g)


class LinearFn(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved
        grad_x = grad_output @ weight
        grad_weight = grad_output.T @ x
        grad_bias = grad_output.sum(0)
        return grad_x, grad_weight, grad_bias


class SiluFn(Function):
    @staticmethod
    def forward(ctx, x):
        sig = 1 / (1 + np.exp(-x))
        ctx.save_for_backward(x, sig)
        return x * sig

    @staticmethod
    def backward(ctx, grad_output):
        x, sig = ctx.saved
        return (grad_output * (sig + x * sig * (1 - sig)),)


class HuberFn(Function):
    @staticmethod
    def forward(ctx, pred, target):
        r = pred - target
        ctx.save_for_backward(r)
        return np.mean(np.sqrt(1 + r ** 2) - 1)

    @staticmethod
    def backward(ctx, grad_output):
        (r,) = ctx.saved
        return grad_output * r / np.sqrt(1 + r ** 2) / r.size, None


np.random.seed(77)
xdata = np.random.uniform(-2, 2, (36, 2))
tdata = (xdata[:, :1] ** 2 - xdata[:, 1:]) / 2
w_a, c_a = Var(np.random.randn(6, 2) * 0.7), Var(np.zeros(6))
w_b, c_b = Var(np.random.randn(4, 6) * 0.4), Var(np.zeros(4))
w_c, c_c = Var(np.random.randn(1, 4) * 0.5), Var(np.zeros(1))
learnables = (w_a, c_a, w_b, c_b, w_c, c_c)
rate = 0.3

for it in range(150):
    z = SiluFn.apply(LinearFn.apply(Var(xdata), w_a, c_a))
    z = SiluFn.apply(LinearFn.apply(z, w_b, c_b))
    objective = HuberFn.apply(LinearFn.apply(z, w_c, c_c), tdata)
    for v in learnables:
        v.grad = None
    objective.backward()
    for v in learnables:
        v.value = v.value - rate * v.grad
    if it % 30 == 0:
        print("iteration", it, "objective", float(objective.value))
