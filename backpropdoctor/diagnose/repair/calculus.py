"""The rules of calculus on the syntax tree of a formula: its derivative, written with the variables that the formula has."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping

PATHS = (ast.Name, ast.Attribute, ast.Subscript)
_ZERO, _ONE = ast.Constant(0), ast.Constant(1)
_DEEP = 8  # formulas within formulas


class NoRuleError(Exception):
    """No rule is known for a part of a formula."""


def derivative(formula: ast.expr, variable: str, own: Mapping[str, ast.expr], names: Mapping[str, str]) -> ast.expr:
    """The derivative of an elementwise formula by a variable.

    `own` are the formulas of other variables in it, `names` the variables that hold the value of an expression, by its text.
    Raises NoRuleError.

    >>> ast.unparse(derivative(ast.parse("np.log(1 + np.exp(z))", mode="eval").body, "z", {}, {}))
    'np.exp(z) / (1 + np.exp(z))'
    """
    return _Calculus(variable, own, names).of(formula)


def substituted(formula: ast.expr, variable: str, text: str) -> ast.expr:
    """A formula with one variable exchanged for another."""
    fresh = ast.parse(text, mode="eval").body
    memo = {id(n): fresh for n in ast.walk(formula) if isinstance(n, PATHS) and ast.unparse(n) == variable}
    return copy.deepcopy(formula, memo)


def is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


class _Calculus:
    def __init__(self, variable: str, own: Mapping[str, ast.expr], names: Mapping[str, str]) -> None:
        self.variable = variable
        self.own = own
        self.names = names
        self.depth = 0

    def of(self, node: ast.expr) -> ast.expr:
        if isinstance(node, PATHS) and ast.unparse(node) == self.variable:
            return _ONE
        if isinstance(node, ast.Compare) or not self.depends(node):
            return _ZERO
        if isinstance(node, PATHS):
            return self._inside(ast.unparse(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _negative(self.of(node.operand))
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords:
            return self._call(node, node.func.attr)
        raise NoRuleError(ast.unparse(node))

    def depends(self, node: ast.AST, depth: int = 0) -> bool:
        """Whether the variable stands in an expression, or in the formula of a variable in it."""
        texts = {ast.unparse(n) for n in ast.walk(node) if isinstance(n, PATHS)}
        inner = (self.own[t] for t in texts & set(self.own)) if depth < _DEEP else ()
        return self.variable in texts or any(self.depends(f, depth + 1) for f in inner)

    def _inside(self, name: str) -> ast.expr:
        if name not in self.own or self.depth > _DEEP:
            raise NoRuleError(name)
        self.depth += 1
        found = self.of(self.own[name])
        self.depth -= 1
        return found

    def _operation(self, node: ast.BinOp) -> ast.expr:
        a, b = node.left, node.right
        if isinstance(node.op, ast.Add):
            return _sum(self.of(a), self.of(b))
        if isinstance(node.op, ast.Sub):
            return _difference(self.of(a), self.of(b))
        if isinstance(node.op, ast.Mult):
            return _sum(_product(self.of(a), b), _product(a, self.of(b)))
        if isinstance(node.op, ast.Div):
            if not self.depends(b):
                return _quotient(self.of(a), b)
            top = _difference(_product(self.of(a), b), _product(a, self.of(b)))
            whole = _quotient(top, ast.BinOp(b, ast.Pow(), ast.Constant(2)))
            return _quotient(self.of(a), b) if is_zero(self.of(b)) else whole
        if isinstance(node.op, ast.Pow) and isinstance(b, ast.Constant) and isinstance(b.value, (int, float)):
            rest = a if b.value == 2 else ast.BinOp(a, ast.Pow(), ast.Constant(b.value - 1))
            return _product(ast.Constant(b.value), rest, self.of(a))
        raise NoRuleError(ast.unparse(node))

    def _call(self, node: ast.Call, name: str) -> ast.expr:
        if name == "where" and len(node.args) == 3:
            return ast.Call(node.func, [node.args[0], self.of(node.args[1]), self.of(node.args[2])], [])
        if name == "maximum" and len(node.args) == 2 and any(is_zero(a) for a in node.args):
            inner = next(a for a in node.args if not is_zero(a))
            return _product(ast.Compare(inner, [ast.Gt()], [_ZERO]), self.of(inner))
        if name not in _RULES or len(node.args) != 1:
            raise NoRuleError(ast.unparse(node))
        held = self.names.get(ast.unparse(node))
        value: ast.expr = ast.parse(held, mode="eval").body if held else node
        [inner] = node.args
        return _RULES[name](self._function(node), value, inner, self.of(inner))

    @staticmethod
    def _function(node: ast.Call) -> Callable[[str, ast.expr], ast.expr]:
        module = node.func.value  # type: ignore[attr-defined]
        return lambda name, argument: ast.Call(ast.Attribute(module, name, ast.Load()), [argument], [])


_Rule = Callable[[Callable[[str, ast.expr], ast.expr], ast.expr, ast.expr, ast.expr], ast.expr]


def _square(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


# what makes f(x)' of the maker of other calls, the value of f(x), x, and the derivative of x
_RULES: dict[str, _Rule] = {
    "exp": lambda f, value, x, dx: _product(value, dx),
    "expm1": lambda f, value, x, dx: _product(f("exp", x), dx),
    "log": lambda f, value, x, dx: _quotient(dx, x),
    "log1p": lambda f, value, x, dx: _quotient(dx, _sum(_ONE, x)),
    "tanh": lambda f, value, x, dx: _product(_difference(_ONE, _square(value)), dx),
    "sqrt": lambda f, value, x, dx: _quotient(dx, _product(ast.Constant(2), value)),
    "sin": lambda f, value, x, dx: _product(f("cos", x), dx),
    "cos": lambda f, value, x, dx: _negative(_product(f("sin", x), dx)),
    "arctan": lambda f, value, x, dx: _quotient(dx, _sum(_ONE, _square(x))),
    "square": lambda f, value, x, dx: _product(ast.Constant(2), x, dx),
    "abs": lambda f, value, x, dx: _product(f("sign", x), dx),
}


def _negative(a: ast.expr) -> ast.expr:
    if is_zero(a):
        return a
    return a.operand if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub) else ast.UnaryOp(ast.USub(), a)


def _sum(a: ast.expr, b: ast.expr) -> ast.expr:
    if is_zero(a) or is_zero(b):
        return b if is_zero(a) else a
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub):
        return ast.BinOp(a, ast.Sub(), b.operand)
    return ast.BinOp(a, ast.Add(), b)


def _difference(a: ast.expr, b: ast.expr) -> ast.expr:
    if is_zero(b):
        return a
    if isinstance(b, ast.UnaryOp) and isinstance(b.op, ast.USub):
        return _sum(a, b.operand)
    return _negative(b) if is_zero(a) else ast.BinOp(a, ast.Sub(), b)


def _product(*factors: ast.expr) -> ast.expr:
    flat = [f for factor in factors for f in _factors(factor)]
    if any(is_zero(f) for f in flat):
        return _ZERO
    negative = sum(isinstance(f, ast.UnaryOp) and isinstance(f.op, ast.USub) for f in flat) % 2
    flat = [f.operand if isinstance(f, ast.UnaryOp) and isinstance(f.op, ast.USub) else f for f in flat]
    flat = [f for f in flat if not (isinstance(f, ast.Constant) and f.value == 1)] or [_ONE]
    found = flat[0]
    for f in flat[1:]:
        found = ast.BinOp(found, ast.Mult(), f)
    return _negative(found) if negative else found


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _quotient(a: ast.expr, b: ast.expr) -> ast.expr:
    return a if is_zero(a) else ast.BinOp(a, ast.Div(), b)
