"""Rewriting of expressions: hooks around operands, operations, arguments and calls."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..source import span_of
from .buffers import Attribute
from .instrument_literals import BINARY, UNARY, literal, literal_value, number, shared_float, split_docstring
from .instrument_loops import Program
from .instrument_spec import HOLE, STAR, BindSpec, CallSpec, Loop, OpSpec, Path, path_of
from .tape import Site

_COMPARE: dict[type[ast.cmpop], Callable[..., Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
VIEWS = {"T", "real", "imag", "mT", "flat", "H", "A", "A1", "I"}
# never record anything of their own, or look at the frame that calls them: no hook around the call itself
_PLAIN_CALLS = {
    "super locals globals vars dir exec eval print len range isinstance issubclass str repr type hasattr format id "
    "open input bool callable hash ord chr int iter __import__ breakpoint"
}
PLAIN_CALLS = frozenset(name for names in _PLAIN_CALLS for name in names.split())


class ExpressionWeaver:
    """Makes the recorded and the plain version of an expression; the original tree is left as it is."""

    def __init__(
        self,
        hooks: Mapping[str, Any],
        put: Callable[[Any], str],
        path: str,
        lines: list[str],
        program: Program,
        first_site: int,
    ) -> None:
        self.hooks = hooks
        self.put = put
        self.path = path
        self.lines = lines
        self.program = program
        self.first_site = first_site
        self.sites: list[Site] = []
        self.loops: list[Loop] = []
        self.function = "<module>"
        self.statement: ast.stmt = ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)
        self.fresh = True  # float literals get an object of their own
        self._specs: list[Any] = []  # kept: placeholders are known by identity
        self._site_of: dict[int, Site] = {}

    # --- small makers -------------------------------------------------------------------------------------------------

    def constant(self, value: Any, at: ast.AST) -> ast.Constant:
        """A constant that becomes `value` in the compiled code."""
        return ast.copy_location(ast.Constant(self.put(value)), at)

    def spec(self, spec: Any, at: ast.AST) -> ast.Constant:
        self._specs.append(spec)
        return self.constant(spec, at)

    def hook(self, name: str, args: list[ast.expr], at: ast.AST) -> ast.Call:
        """A call of the hook `name`, at the place of `at`."""
        return ast.copy_location(ast.Call(self.constant(self.hooks[name], at), args, []), at)

    def site(self, node: ast.AST) -> Site:
        """The site of a syntax-tree node in the current statement; made once."""
        found = self._site_of.get(id(node))
        if found is None:
            statement = self.statement
            found = Site(
                self.first_site + len(self.sites),
                span_of(node, self.path, self.lines),
                node,
                statement,
                span_of(statement, self.path, self.lines),
                self.function,
            )
            self.sites.append(found)
            self._site_of[id(node)] = found
        return found

    def rebuild(self, node: Any, recorded: bool, *, numbers: bool = False) -> Any:
        """A copy of `node` with its child expressions woven; `numbers`: literals among them stay as they are."""
        fields = {}
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                fields[name] = [self._child(v, recorded, numbers) for v in value]
            else:
                fields[name] = self._child(value, recorded, numbers)
        return ast.copy_location(type(node)(**fields), node)

    def _child(self, value: Any, recorded: bool, numbers: bool) -> Any:
        if isinstance(value, ast.expr):
            return value if numbers and literal(value) else self.expr(value, recorded)
        if isinstance(value, (ast.keyword, ast.comprehension, ast.withitem)):
            return self.rebuild(value, recorded, numbers=numbers)
        return value

    # --- expressions --------------------------------------------------------------------------------------------------

    def expr(self, node: ast.expr, recorded: bool) -> ast.expr:
        """The woven version of an expression whose value is used (not of a target)."""
        if isinstance(node, (ast.Name, ast.Constant)) or number(node):
            is_float = not isinstance(node, ast.Name) and isinstance(literal_value(node), float)
            return self.hook("L", [node], node) if is_float and self.fresh else node
        if isinstance(node, ast.Lambda):
            return self._lambda(node)
        if shared_float(node):
            return self.hook("FM", [self.rebuild(node, recorded, numbers=True)], node)
        if isinstance(node, ast.Starred) and not isinstance(node.ctx, ast.Load):
            return node
        method = getattr(self, f"_rec_{type(node).__name__}", None) if recorded else None
        if method is not None:
            return method(node)
        plain_parts = (ast.BinOp, ast.Compare, ast.UnaryOp, ast.Subscript, ast.FormattedValue, ast.Slice, ast.JoinedStr)
        return self.rebuild(node, recorded, numbers=isinstance(node, plain_parts))

    def operand(self, node: ast.expr) -> ast.expr:
        """An operand: noted by the hook P, unless it is written out."""
        return node if literal(node) else self.hook("P", [self.expr(node, True)], node)

    def _op_spec(self, node: ast.AST, op: Callable[..., Any], operands: list[ast.expr]) -> ast.Constant:
        values = tuple(literal_value(o) if literal(o) else HOLE for o in operands)
        exprs = tuple(o for o in operands if not literal(o))
        return self.spec(OpSpec(self.site(node), op, values, exprs, len(exprs)), node)

    def _rec_BinOp(self, node: ast.BinOp) -> ast.expr:
        spec = self._op_spec(node, BINARY[type(node.op)], [node.left, node.right])
        new = ast.copy_location(ast.BinOp(self.operand(node.left), node.op, self.operand(node.right)), node)
        return self.hook("B", [spec, new], node)

    def _rec_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not) or literal(node.operand):
            return self.rebuild(node, True, numbers=True)
        spec = self._op_spec(node, UNARY[type(node.op)], [node.operand])
        new = ast.copy_location(ast.UnaryOp(node.op, self.operand(node.operand)), node)
        return self.hook("B", [spec, new], node)

    def _rec_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            return self.rebuild(node, True, numbers=True)
        spec = self._op_spec(node, _COMPARE[type(node.ops[0])], [node.left, *node.comparators])
        right = [self.operand(node.comparators[0])]
        return self.hook("B", [spec, ast.copy_location(ast.Compare(self.operand(node.left), node.ops, right), node)], node)

    def _rec_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr not in VIEWS:
            return self.rebuild(node, True)
        spec = self._op_spec(node, Attribute(node.attr), [node.value])
        new = ast.copy_location(ast.Attribute(self.operand(node.value), node.attr, node.ctx), node)
        return self.hook("B", [spec, new], node)

    def key(self, node: ast.expr) -> ast.expr:
        """The key of a subscript as an ordinary expression: slices become calls of `slice`."""
        if isinstance(node, ast.Slice):
            parts: list[ast.expr] = [
                self.expr(p, True) if p else ast.copy_location(ast.Constant(None), node)
                for p in (node.lower, node.upper, node.step)
            ]
            return ast.copy_location(ast.Call(self.constant(slice, node), parts, []), node)
        if isinstance(node, ast.Tuple) and any(isinstance(e, ast.Slice) for e in node.elts):
            return ast.copy_location(ast.Tuple([self.key(e) for e in node.elts], node.ctx), node)
        return node if literal(node) else self.expr(node, True)

    def _rec_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return self.rebuild(node, True)
        spec = self._op_spec(node, operator.getitem, [node.value, node.slice])
        key = self.key(node.slice)
        key = key if literal(node.slice) else self.hook("P", [key], node.slice)
        new = ast.copy_location(ast.Subscript(self.operand(node.value), key, node.ctx), node)
        return self.hook("G", [spec, new], node)

    def _rec_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        spec = self.spec(BindSpec(self.site(node), (node.target.id,), "assign"), node)
        value = self.hook("N", [spec, self.expr(node.value, True)], node.value)
        return ast.copy_location(ast.NamedExpr(node.target, value), node)

    def _rec_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id in PLAIN_CALLS:
            return self.rebuild(node, True)
        args: list[ast.expr] = []
        positional: list[Any] = []
        exprs: list[ast.expr] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                inner = self.hook("S", [self.expr(arg.value, True)], arg.value)
                args.append(ast.copy_location(ast.Starred(inner, arg.ctx), arg))
                positional.append(STAR)
                exprs.append(arg.value)
            else:
                args.append(self._argument(arg, exprs, positional))
        keywords: list[ast.keyword] = []
        named: list[tuple[str | None, Any]] = []
        for keyword in node.keywords:
            kind: list[Any] = []
            value: ast.expr
            if keyword.arg is None:
                value = self.hook("S", [self.expr(keyword.value, True)], keyword.value)
                kind.append(STAR)
                exprs.append(keyword.value)
            else:
                value = self._argument(keyword.value, exprs, kind)
            keywords.append(ast.copy_location(ast.keyword(keyword.arg, value), keyword))
            named.append((keyword.arg, kind[0]))
        owner = path_of(node.func.value) if isinstance(node.func, ast.Attribute) else None
        call = CallSpec(self.site(node), tuple(positional), tuple(named), tuple(exprs), len(exprs), owner)
        spec = self.spec(call, node)
        func = self.hook("F", [spec, self._function(node.func, owner)], node.func)
        return self.hook("C", [spec, ast.copy_location(ast.Call(func, args, keywords), node)], node)

    def _function(self, node: ast.expr, owner: Path | None) -> ast.expr:
        """What is called; for `xs[k].append(…)` the keys are noted, so that the new element gets its name."""
        if isinstance(node, ast.Attribute) and node.attr == "append" and owner is not None:
            return ast.copy_location(ast.Attribute(self.base(node.value), node.attr, node.ctx), node)
        return self.expr(node, True)

    def _argument(self, node: ast.expr, exprs: list[ast.expr], kinds: list[Any]) -> ast.expr:
        if literal(node):
            kinds.append(literal_value(node))
            return self.expr(node, True)
        kinds.append(HOLE)
        exprs.append(node)
        return self.hook("A", [self.expr(node, True)], node)

    def base(self, node: ast.expr) -> ast.expr:
        """The container of a store: a path keeps its form, and only its keys are noted (hook K)."""
        if path_of(node) is None or isinstance(node, ast.Name):
            return node if isinstance(node, ast.Name) else self.expr(node, True)
        if isinstance(node, ast.Attribute):
            return ast.copy_location(ast.Attribute(self.base(node.value), node.attr, node.ctx), node)
        assert isinstance(node, ast.Subscript)
        key = self.key(node.slice)
        if not isinstance(node.slice, ast.Constant):
            key = self.hook("K", [key], node.slice)
        return ast.copy_location(ast.Subscript(self.base(node.value), key, node.ctx), node)

    def _rec_ListComp(self, node: Any) -> ast.expr:
        if any(g.is_async for g in node.generators):
            return self.rebuild(node, False)
        fields = {name: self.expr(getattr(node, name), True) for name in ("elt", "key", "value") if hasattr(node, name)}
        generators = [
            ast.comprehension(g.target, self.iterated(g.iter), [self.expr(c, True) for c in g.ifs], 0) for g in node.generators
        ]
        return ast.copy_location(type(node)(**fields, generators=generators), node)

    _rec_SetComp = _rec_DictComp = _rec_GeneratorExp = _rec_ListComp

    def iterated(self, node: ast.expr) -> ast.expr:
        """The iterable of a loop: arrays yield noted items."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            return self.expr(node, True)
        spec = self._op_spec(node, operator.getitem, [node])
        return self.hook("I", [spec, self.expr(node, True)], node)

    def _lambda(self, node: ast.Lambda) -> ast.expr:
        args = self.rebuild(node.args, False)
        names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        names += [a.arg for a in (args.vararg, args.kwarg) if a]
        outer, self.function = self.function, f"{self.function}.<lambda>".removeprefix("<module>.")
        plain = self.expr(node.body, False)
        entry = self.entry(node, names)
        recorded = ast.copy_location(ast.BoolOp(ast.And(), [entry, self.expr(node.body, True)]), node.body)
        body = ast.copy_location(ast.IfExp(self.hook("REC", [], node.body), recorded, plain), node.body)
        self.function = outer
        return ast.copy_location(ast.Lambda(args, body), node)

    def entry(self, node: ast.AST, names: list[str]) -> ast.Call:
        """The hook at the start of a function, which is given its arguments."""
        at = node.body if isinstance(node, ast.Lambda) else split_docstring(node.body)[1][0]  # type: ignore[attr-defined]
        spec = self.spec(BindSpec(self.site(node), tuple(names), "argument"), at)
        loads: list[ast.expr] = [ast.Name(name, ast.Load()) for name in names]
        call = self.hook("E", [spec, *loads], at)
        return ast.fix_missing_locations(call)
