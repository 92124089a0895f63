"""How large the arrays of an edited expression would be: an edit that broadcasts 60,000 samples by 60,000 is not tried."""

from __future__ import annotations

import ast
import math

import numpy as np

from .scene import Scene

MOST = 20_000_000  # elements of one array
_BIG = 1500  # below this length not even its square is large
_PRODUCTS = {"dot", "matmul", "inner"}
_MARKS = (ast.expr_context, ast.operator, ast.Constant)

Shape = tuple[int, ...] | None


def affordable(scene: Scene, statement: ast.AST) -> bool:
    """Whether no part of an edited statement makes a larger array than the statement ever did.

    What it has in common with the scene's own statement was evaluated by the user's code already.
    """
    if not scene.has_long_arrays(_BIG) or _is_small(scene, statement):
        return True
    fresh: dict[int, Shape] = {}
    own = scene.own
    stack = [statement]
    try:
        while stack:
            node = stack.pop()
            if isinstance(node, ast.expr):
                _shape(scene, node, fresh)
            if not isinstance(node, ast.Name):
                stack += [n for n in ast.iter_child_nodes(node) if id(n) not in own and not isinstance(n, _MARKS)]
    except OverflowError:
        return False
    return True


def _is_small(scene: Scene, statement: ast.AST) -> bool:
    """Whether matrices are all that there is, and a square one as long as the longest is not large."""
    if not scene.is_flat or scene.has_long_arrays(math.isqrt(MOST)):
        return False
    return not any(isinstance(n, ast.Constant) and n.value is None or _adds_axes(n) for n in ast.walk(statement))


def _adds_axes(node: ast.AST) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ("newaxis", "outer")


def _shape(scene: Scene, node: ast.expr, fresh: dict[int, Shape]) -> Shape:
    """The shape of an expression's value, without its being evaluated; None where unknown. Raises OverflowError."""
    known = scene.sizes if id(node) in scene.own else fresh
    if id(node) not in known:
        known[id(node)] = _found(scene, node, fresh)
    return known[id(node)]


def _found(scene: Scene, node: ast.expr, known: dict[int, Shape]) -> Shape:
    if isinstance(node, ast.BinOp):
        left, right = _shape(scene, node.left, known), _shape(scene, node.right, known)
        return _product(left, right) if isinstance(node.op, ast.MatMult) else _broadcast(left, right)
    if isinstance(node, (ast.UnaryOp, ast.Compare)):
        inner = _shape(scene, node.operand if isinstance(node, ast.UnaryOp) else node.left, known)
        return _broadcast(inner, _shape(scene, node.comparators[0], known)) if isinstance(node, ast.Compare) else inner
    if isinstance(node, ast.Attribute) and node.attr == "T":
        inner = _shape(scene, node.value, known)
        return inner[::-1] if inner is not None else None
    if isinstance(node, ast.Constant):
        return ()
    if isinstance(node, ast.Call):
        return _called(scene, node, known)
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return scene.known_shape(_path(node))
    return None


def _path(node: ast.expr) -> str:
    """The text of a variable."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{_path(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ast.unparse(node)


def _called(scene: Scene, node: ast.Call, known: dict[int, Shape]) -> Shape:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    own = node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(own, ast.Name) and own.id == scene.numpy:
        own = None
    operands = ([own] if own is not None else []) + node.args
    if name in _PRODUCTS and len(operands) == 2:
        return _product(_shape(scene, operands[0], known), _shape(scene, operands[1], known))
    if name == "outer" and len(operands) == 2:
        sizes = [int(np.prod(s, dtype=float)) if s is not None else 0 for s in (_shape(scene, o, known) for o in operands)]
        return _checked((sizes[0], sizes[1]))
    if name == "multiply" and len(operands) == 2:
        return _broadcast(_shape(scene, operands[0], known), _shape(scene, operands[1], known))
    return None


def _product(left: Shape, right: Shape) -> Shape:
    if left is None or right is None or not left or not right:
        return None
    return _checked((*left[:-1], *(right[-1:] if len(right) > 1 else ())))


def _broadcast(left: Shape, right: Shape) -> Shape:
    if left is None or right is None:
        return None
    if left == right or not right:
        return _checked(left)
    try:
        return _checked(np.broadcast_shapes(left, right))
    except ValueError:
        return None


def _checked(shape: tuple[int, ...]) -> Shape:
    if math.prod(shape) > MOST:
        raise OverflowError
    return shape
