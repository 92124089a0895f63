"""Assignments, rewritten so that names, stores and changes in place are noted."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

from .instrument_expr import ExpressionWeaver
from .instrument_literals import BINARY, literal, number
from .instrument_spec import BindSpec, StoreSpec, path_of

_INPLACE: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: operator.iadd,
    ast.Sub: operator.isub,
    ast.Mult: operator.imul,
    ast.Div: operator.itruediv,
    ast.FloorDiv: operator.ifloordiv,
    ast.Mod: operator.imod,
    ast.Pow: operator.ipow,
    ast.MatMult: operator.imatmul,
    ast.LShift: operator.ilshift,
    ast.RShift: operator.irshift,
    ast.BitOr: operator.ior,
    ast.BitXor: operator.ixor,
    ast.BitAnd: operator.iand,
}


class AssignWeaver(ExpressionWeaver):
    """Rewrites assignments of all kinds."""

    _group = 0

    def run(self, name: str, args: list[ast.expr], at: ast.AST) -> ast.Expr:
        """A statement that calls a hook."""
        return ast.copy_location(ast.Expr(self.hook(name, args, at)), at)

    def _bind_names(self, targets: list[ast.expr], at: ast.AST, how: str) -> Iterator[ast.stmt]:
        names = [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        if names:
            spec = self.spec(BindSpec(self.site(at), tuple(names), how), at)
            loads = [ast.copy_location(ast.Name(n, ast.Load()), at) for n in names]
            yield self.run("TB", [spec, *loads], at)

    def _plain_assign(self, node: ast.Assign) -> Iterator[ast.stmt]:
        for targets in [[t] for t in node.targets] if _splits(node) else [node.targets]:
            yield ast.copy_location(ast.Assign(targets, self.expr(node.value, False)), node)

    def _stmt_Assign(self, node: ast.Assign, recorded: bool) -> Iterator[ast.stmt]:
        if not recorded:
            yield from self._plain_assign(node)
            return
        if _splits(node):
            for target in node.targets:
                yield from self._stmt_Assign(ast.copy_location(ast.Assign([target], node.value), node), True)
            return
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield ast.copy_location(ast.Assign(node.targets, self._named(node.targets[0], node.value)), node)
            return
        group = self._next_group()
        value = self.expr(node.value, True)
        single = len(node.targets) == 1
        if single and isinstance(node.targets[0], (ast.Tuple, ast.List)):
            value = self.hook("UP", [value], node.value)
        specs: list[StoreSpec] = []
        targets = [self._target(t, group, (), specs, node.value) for t in node.targets]
        if specs:
            value = self.hook("V", [value], node.value)
        yield ast.copy_location(ast.Assign(targets, value), node)
        if specs:
            yield self.run("ST", [self.spec(tuple(specs), node)], node)
        yield from self._bind_names(node.targets, node, "assign")

    def _named(self, target: Any, value: ast.expr) -> ast.expr:
        spec = self.spec(BindSpec(self.site(target), (target.id,), "assign"), target)
        return self.hook("N", [spec, self.expr(value, True)], value)

    def _recstmt_AnnAssign(self, node: ast.AnnAssign) -> Iterator[ast.stmt]:
        if node.value is None:
            yield node
            return
        named = isinstance(node.target, ast.Name)
        value = self._named(node.target, node.value) if named else self.expr(node.value, True)
        yield ast.copy_location(ast.AnnAssign(node.target, node.annotation, value, node.simple), node)

    def _next_group(self) -> int:
        self._group += 1
        return self._group

    def _target(
        self, node: ast.expr, group: int, index: tuple[int, ...] | None, specs: list[StoreSpec], value: ast.expr
    ) -> ast.expr:
        """A target with its container and key noted; its spec is added to `specs` in the order of the stores."""
        if isinstance(node, (ast.Tuple, ast.List)):
            starred = any(isinstance(e, ast.Starred) for e in node.elts)
            elements = [
                self._target(e, group, None if index is None or starred else (*index, i), specs, value)
                for i, e in enumerate(node.elts)
            ]
            return ast.copy_location(type(node)(elements, node.ctx), node)
        if isinstance(node, ast.Starred):
            return ast.copy_location(ast.Starred(self._target(node.value, group, None, specs, value), node.ctx), node)
        if isinstance(node, ast.Attribute):
            spec = StoreSpec(self.site(node), path_of(node), ast.unparse(node), "attr", group, index)
            specs.append(spec)
            base = self.hook("PA", [self.spec(spec, node), self.base(node.value)], node.value)
            return ast.copy_location(ast.Attribute(base, node.attr, node.ctx), node)
        if isinstance(node, ast.Subscript):
            spec = StoreSpec(self.site(node), path_of(node), ast.unparse(node), "key", group, index)
            specs.append(spec)
            base = self.hook("P", [self.base(node.value)], node.value)
            key = self.hook("PS", [self.spec(spec, node), self.key(node.slice)], node.slice)
            return ast.copy_location(ast.Subscript(base, key, node.ctx), node)
        return node

    def _recstmt_AugAssign(self, node: ast.AugAssign) -> Iterator[ast.stmt]:
        """`x[k] -= v` becomes `BS()[KY()] = AF(isub(OLD(P(x)[P(k)]), PV(v)))`: the same steps in the same order."""
        target: Any = node.target
        kind = {ast.Name: "name", ast.Attribute: "attr", ast.Subscript: "key"}[type(target)]
        literal_operand = literal(node.value)
        spec_object = StoreSpec(
            self.site(node),
            path_of(target),
            ast.unparse(target),
            kind,
            self._next_group(),
            op=_INPLACE[type(node.op)],
            pure=BINARY[type(node.op)],
            literal=literal_operand,
            exprs=(target, node.value),
        )
        spec = self.spec(spec_object, node)
        new_target, old = self._augmented_target(target, kind, spec)
        value = node.value if literal_operand else self.expr(node.value, True)
        call = ast.Call(
            self.constant(spec_object.op, node),
            [self.hook("OLD", [old], target), self.hook("PV", [spec, value], node.value)],
            [],
        )
        result = self.hook("AF", [spec, ast.copy_location(call, node)], node)
        yield ast.copy_location(ast.Assign([new_target], result), node)
        if kind == "key":
            yield self.run("SK", [], node)

    def _augmented_target(self, target: Any, kind: str, spec: ast.Constant) -> tuple[ast.expr, ast.expr]:
        def at(node: ast.expr) -> Any:
            return ast.copy_location(node, target)

        if kind == "name":
            return target, at(ast.Name(target.id, ast.Load()))
        if kind == "attr":
            old = at(ast.Attribute(self.hook("P", [self.base(target.value)], target.value), target.attr, ast.Load()))
            return at(ast.Attribute(self.hook("KY", [], target.value), target.attr, ast.Store())), old
        base = self.hook("P", [self.base(target.value)], target.value)
        key = self.hook("P", [self.key(target.slice)], target.slice)
        old = at(ast.Subscript(base, key, ast.Load()))
        new = ast.Subscript(self.hook("BS", [], target.value), self.hook("KY", [], target.slice), ast.Store())
        return at(new), old


def _splits(node: ast.Assign) -> bool:
    """Whether `a = b = 0.5` is done as two statements: equal literals must not share an object."""
    simple = all(
        isinstance(t, ast.Name) or (isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name)) for t in node.targets
    )
    return len(node.targets) > 1 and number(node.value) and simple
