"""Rewriting of statements: bindings, stores, functions with two bodies, loops that choose at each iteration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from .instrument_assign import AssignWeaver
from .instrument_literals import literal, split_docstring
from .instrument_loops import statements
from .instrument_spec import BindSpec, Loop

MAX_COPIES = 4  # nested loops and functions whose bodies exist twice; deeper ones follow the body that they are in


class Weaver(AssignWeaver):
    """Makes the instrumented module."""

    copies = 0
    in_class = False
    loop_depth = 0

    def module(self, tree: ast.Module | ast.Interactive, *, recorded: bool) -> ast.Module | ast.Interactive:
        """The woven module; `recorded`: its top level is recorded without a choice."""
        first, rest = split_docstring(tree.body)
        body = first + self.body(rest, recorded)
        return ast.Module(body, tree.type_ignores) if isinstance(tree, ast.Module) else ast.Interactive(body)

    def body(self, body: list[ast.stmt], recorded: bool) -> list[ast.stmt]:
        """The woven statements of a block."""
        new: list[ast.stmt] = []
        for node in body:
            outer, self.statement = self.statement, node
            new.extend(self.stmt(node, recorded))
            self.statement = outer
        return new

    def stmt(self, node: ast.stmt, recorded: bool) -> Iterator[ast.stmt]:
        """What replaces one statement."""
        kind = type(node).__name__
        method = getattr(self, f"_stmt_{kind}", None)
        if method is not None:
            yield from method(node, recorded)
        elif recorded and (method := getattr(self, f"_recstmt_{kind}", None)) is not None:
            yield from method(node)
        else:
            yield self._generic(node, recorded)

    def _generic(self, node: Any, recorded: bool) -> Any:
        """A copy with blocks and expressions woven; patterns, targets and annotations as they are."""
        fields = {}
        for name, value in ast.iter_fields(node):
            if name in ("target", "targets", "annotation", "optional_vars", "pattern", "type_params", "name", "type"):
                fields[name] = value
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                fields[name] = self.body(value, recorded)
            elif isinstance(value, list):
                fields[name] = [self._part(v, recorded) for v in value]
            elif isinstance(node, ast.AugAssign) and literal(node.value):
                fields[name] = value
            else:
                fields[name] = self._part(value, recorded)
        return ast.copy_location(type(node)(**fields), node)

    def _part(self, value: Any, recorded: bool) -> Any:
        if isinstance(value, ast.expr):
            return self.expr(value, recorded)
        if isinstance(value, (ast.withitem, ast.ExceptHandler, ast.match_case)):
            if isinstance(value, ast.withitem):
                return ast.withitem(self.expr(value.context_expr, recorded), value.optional_vars)
            return self._generic(value, recorded)
        return value

    # --- left alone ---------------------------------------------------------------------------------------------------

    def _as_is(self, node: ast.stmt, recorded: bool) -> Iterator[ast.stmt]:
        yield node

    _stmt_Import = _stmt_ImportFrom = _stmt_Pass = _stmt_Break = _stmt_Continue = _stmt_Delete = _stmt_TypeAlias = _as_is

    def _stmt_Expr(self, node: ast.Expr, recorded: bool) -> Iterator[ast.stmt]:
        yield node if isinstance(node.value, ast.Constant) else self._generic(node, recorded)

    def _stmt_Assert(self, node: ast.Assert, recorded: bool) -> Iterator[ast.stmt]:
        yield self._generic(node, False)

    _stmt_Raise = _stmt_Assert

    def _stmt_Global(self, node: ast.Global, recorded: bool) -> Iterator[ast.stmt]:
        """Stands at the top of its function already."""
        yield node if self.function == "<module>" or self.in_class else ast.copy_location(ast.Pass(), node)

    _stmt_Nonlocal = _stmt_Global

    # --- definitions --------------------------------------------------------------------------------------------------

    def _stmt_FunctionDef(self, node: ast.FunctionDef, recorded: bool) -> Iterator[ast.stmt]:
        fields = dict(ast.iter_fields(node))
        fields["args"] = self.rebuild(node.args, False)
        fields["decorator_list"] = [self.expr(d, False) for d in node.decorator_list]
        saved = self.function, self.in_class, self.loop_depth, self.fresh
        self.function = f"{self.function}.{node.name}".removeprefix("<module>.")
        self.in_class, self.loop_depth, self.fresh = False, 0, True
        fields["body"] = self._two_bodies(node)
        self.function, self.in_class, self.loop_depth, self.fresh = saved
        yield ast.copy_location(ast.FunctionDef(**fields), node)

    def _two_bodies(self, node: ast.FunctionDef) -> list[ast.stmt]:
        first, rest = split_docstring(node.body)
        if not rest or all(isinstance(s, (ast.Pass, ast.Raise)) for s in rest):
            return [*first, *self.body(rest, False)]
        head = first + [s for s in statements(rest) if isinstance(s, (ast.Global, ast.Nonlocal))]  # type: ignore[misc]
        args = node.args
        names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        names += [a.arg for a in (args.vararg, args.kwarg) if a]
        if self.copies >= MAX_COPIES:
            return head + self.body(rest, False)
        self.copies += 1
        outer, self.statement = self.statement, node
        entry = ast.copy_location(ast.Expr(self.entry(node, names)), rest[0])
        self.statement = outer
        recorded: list[ast.stmt] = [entry, *self.body(rest, True)]
        plain = self.body(rest, False)
        self.copies -= 1
        return [*head, self._choice("REC", [], recorded, plain, rest[0])]

    def _choice(self, hook: str, args: list[ast.expr], recorded: list[ast.stmt], plain: list[ast.stmt], at: ast.stmt) -> ast.If:
        return ast.copy_location(ast.If(self.hook(hook, args, at), recorded, plain), at)

    def _stmt_AsyncFunctionDef(self, node: ast.AsyncFunctionDef, recorded: bool) -> Iterator[ast.stmt]:
        saved = self.function, self.in_class
        self.function, self.in_class = f"{self.function}.{node.name}".removeprefix("<module>."), True  # keeps `global`
        fields = dict(ast.iter_fields(node)) | {"body": self.body(node.body, False)}
        self.function, self.in_class = saved
        yield ast.copy_location(ast.AsyncFunctionDef(**fields), node)

    def _stmt_ClassDef(self, node: ast.ClassDef, recorded: bool) -> Iterator[ast.stmt]:
        saved = self.function, self.in_class
        self.function, self.in_class = f"{self.function}.{node.name}".removeprefix("<module>."), True
        first, rest = split_docstring(node.body)
        fields = dict(ast.iter_fields(node)) | {"body": first + self.body(rest, False)}
        self.function, self.in_class = saved
        yield ast.copy_location(ast.ClassDef(**fields), node)

    # --- loops and exceptions -----------------------------------------------------------------------------------------

    def _loop(self, node: ast.For | ast.While, recorded: bool) -> Iterator[ast.stmt]:
        evidence = self.program.evidence(node.body)
        loop = Loop(self.site(node), evidence, self.loop_depth)
        if all(known.site is not loop.site for known in self.loops):
            self.loops.append(loop)
        two = bool(evidence) and not self.in_class and self.copies < MAX_COPIES
        self.copies += two
        self.loop_depth += 1
        outer, self.fresh = self.fresh, self.fresh and not two
        plain = self.body(node.body, False) if two or not recorded else []
        self.fresh = outer
        woven = [*self._loop_names(node), *self.body(node.body, True)] if two or recorded else []
        self.loop_depth -= 1
        self.copies -= two
        body = woven if recorded else plain
        if two:
            body = [self._choice("STEP", [self.spec(loop, node)], woven, plain, node.body[0])]
        fields = dict(ast.iter_fields(node)) | {"body": body, "orelse": self.body(node.orelse, recorded)}
        if isinstance(node, ast.For):
            fields["iter"] = self.iterated(node.iter) if recorded else self.expr(node.iter, False)
        else:
            fields["test"] = self.expr(node.test, recorded)
        new = ast.copy_location(type(node)(**fields), node)
        if not two:
            yield new
            return
        yield self.run("LOOP", [self.spec(loop, node)], node)
        end = self.run("END", [self.spec(loop, node)], node)
        yield ast.copy_location(ast.Try([new], [], [], [end]), node)

    _stmt_For = _stmt_While = _loop

    def _loop_names(self, node: ast.For | ast.While) -> Iterator[ast.stmt]:
        if isinstance(node, ast.For):
            outer, self.statement = self.statement, node
            yield from self._bind_names([node.target], node.target, "loop")
            self.statement = outer

    def _stmt_Try(self, node: ast.Try, recorded: bool) -> Iterator[ast.stmt]:
        new = self._generic(node, recorded)
        if new.handlers:  # the end of a recording passes every handler, also a bare one
            stop = self.constant(self.hooks["Stop"], node)
            handler = ast.ExceptHandler(stop, None, [ast.copy_location(ast.Raise(None, None), node)])
            new.handlers.insert(0, ast.copy_location(handler, node))
        yield new

    def _recstmt_Return(self, node: ast.Return) -> Iterator[ast.stmt]:
        if node.value is None:
            yield node
            return
        spec = self.spec(BindSpec(self.site(node.value), (self.function,), "return"), node)
        value = self.hook("R", [spec, self.expr(node.value, True)], node.value)
        yield ast.copy_location(ast.Return(value), node)
