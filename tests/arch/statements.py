"""Finds SQL that is not fixed: a statement may be put together only from texts that stand in the program.

Fixed are: literals; names that are only ever given fixed values, in the function or at the top of a module (also of
another module of ours); names of the fields of a class; members of an enum of ours; and what f-strings, `+`, `or`,
conditional expressions, `join` and comprehensions make of these. Everything else (a parameter, a column of a row, the
result of a call) may come from outside and belongs into a bind parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Methods of the driver, and how many of their first arguments become part of a statement.
TAKES = {"execute": 1, "executemany": 1, "fetch": 1, "fetchrow": 1, "fetchval": 1, "fetchmany": 1, "cursor": 1}
TAKES |= {"prepare": 1, "copy_from_query": 1, "copy_from_table": 1, "copy_to_table": 1, "copy_records_to_table": 1}
NAMED = ("query", "command", "table_name", "columns", "schema_name", "where")  # the same arguments given by name
KEEPS = ("enumerate", "list", "range", "reversed", "sorted", "tuple", "zip")  # fixed of fixed
OF_CLASS = ("__dataclass_fields__", "_fields", "__members__")
Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.GeneratorExp | ast.SetComp


@dataclass(frozen=True, slots=True)
class Loose:
    """A statement that is not fixed."""

    place: str  # path:function
    line: int
    text: str  # the argument as the program has it


@dataclass(slots=True)
class Module:
    """What a module says at its top, read once."""

    path: Path
    tree: ast.Module
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name → module, name in it ('' = the module)


@cache
def module(dotted: str) -> Module | None:
    """A module of ours by its dotted name."""
    base = ROOT.joinpath(*dotted.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return read(path.read_text(encoding="utf-8"), path)
    return None


def read(source: str, path: Path) -> Module:
    """A module from its text."""
    found = Module(path, ast.parse(source))
    for node in found.tree.body:
        if isinstance(node, ast.ClassDef):
            found.classes[node.name] = node
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                name = each.asname or each.name
                whole = _is_module(f"{node.module}.{each.name}")
                found.imports[name] = (f"{node.module}.{each.name}", "") if whole else (node.module, each.name)
    return found


def loose(where: Module) -> Iterator[Loose]:
    """Statements of a module that are not fixed."""
    relative = where.path.relative_to(ROOT) if where.path.is_relative_to(ROOT) else where.path
    for function, call in _calls(where.tree, None):
        for argument in _arguments(where, call):
            if not fixed(where, function, argument) and not _is_request(function, argument):
                name = function.name if function else ""
                yield Loose(f"{relative}:{name}", argument.lineno, ast.unparse(argument))


def inside(where: Module) -> Iterator[tuple[Function, ast.Call]]:
    """Every call inside a function of a module, with that function."""
    for function, call in _calls(where.tree, None):
        if function:
            yield function, call


def fixed(where: Module, function: Function | None, node: ast.expr) -> bool:
    """Whether an expression in that function has only fixed values."""
    return _Judge(where, function).fixed(node)


def _is_request(function: Function | None, node: ast.expr) -> bool:
    """An answer of the web door is prepared too: for a request."""
    said = _annotation(function, node.id) if function and isinstance(node, ast.Name) else None
    return said is not None and ast.unparse(said) == "web.Request"


def _is_module(dotted: str) -> bool:
    base = ROOT.joinpath(*dotted.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def _calls(node: ast.AST, function: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
    """Every call with the function around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield function, child
        yield from _calls(child, child if isinstance(child, Function) else function)


def _arguments(where: Module, call: ast.Call) -> Iterator[ast.expr]:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in TAKES:
        return
    owner = call.func.value
    if isinstance(owner, ast.Name) and owner.id in where.imports:
        return  # a function of ours that happens to be called so: what it does inside is looked at there
    yield from call.args[: TAKES[call.func.attr]]
    yield from (each.value for each in call.keywords if each.arg in NAMED)


class _Judge:
    """Whether expressions inside one function are fixed."""

    def __init__(self, where: Module, function: Function | None) -> None:
        self.where = where
        self.function = function
        self.asked: set[str] = set()  # names being followed, so that `x = x + y` ends

    def fixed(self, node: ast.expr, bound: frozenset[str] = frozenset()) -> bool:
        """`bound`: names that a comprehension around gives fixed values."""
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=parts):
                return all(self.fixed(p.value if isinstance(p, ast.FormattedValue) else p, bound) for p in parts)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.fixed(left, bound) and self.fixed(right, bound)
            case ast.IfExp(body=one, orelse=other):
                return self.fixed(one, bound) and self.fixed(other, bound)
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all(self.fixed(part, bound) for part in parts)
            case ast.Starred(value=inner) | ast.Subscript(value=inner):
                return self.fixed(inner, bound)
            case ast.Dict(keys=keys, values=values):
                return all(key is not None and self.fixed(key, bound) for key in [*keys, *values])
            case ast.ListComp(elt=made) | ast.GeneratorExp(elt=made) | ast.SetComp(elt=made):
                return self._comprehension(node, made, bound)
            case ast.Call(func=called, args=given):
                return self._call(called, given, bound)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self._attribute(owner, name)
            case ast.Name(id=name):
                return name in bound or self._name(name)
        return False

    def _comprehension(self, node: Comprehension, made: ast.expr, bound: frozenset[str]) -> bool:
        for each in node.generators:
            if not self.fixed(each.iter, bound):
                return False
            bound |= _names(each.target)
        return self.fixed(made, bound)

    def _call(self, called: ast.expr, given: Iterable[ast.expr], bound: frozenset[str]) -> bool:
        if isinstance(called, ast.Attribute) and called.attr in ("join", "items", "keys", "values"):
            return self.fixed(called.value, bound) and all(self.fixed(each, bound) for each in given)
        return isinstance(called, ast.Name) and called.id in KEEPS and all(self.fixed(each, bound) for each in given)

    def _attribute(self, owner: str, name: str) -> bool:
        if name in OF_CLASS and _class(self.where, owner):
            return True
        if name == "value" and self.function and _is_enum(self.where, _annotation(self.function, owner)):
            return True
        dotted, inside = self.where.imports.get(owner, ("", "x"))
        other = None if inside else module(dotted)
        return other is not None and _Judge(other, None)._name(name)

    def _name(self, name: str) -> bool:
        if name in self.asked:
            return True  # it is fixed if all else that it is given is
        self.asked.add(name)
        if self.function:
            if _annotation(self.function, name) is not _ABSENT:
                return False
            if given := list(_given(self.function, name)):
                return all(value is not None and self.fixed(value) for value in given)
        if name in self.where.imports:
            dotted, inside = self.where.imports[name]
            other = module(dotted)
            return bool(inside) and other is not None and _Judge(other, None)._name(inside)
        top = _Judge(self.where, None) if self.function else self
        given = list(_given(self.where.tree, name))
        return bool(given) and all(value is not None and top.fixed(value) for value in given)


_ABSENT = ast.Constant("no parameter")


def _annotation(function: Function, name: str) -> ast.expr | None:
    """The annotation of a parameter; `_ABSENT` when there is no such parameter."""
    given = function.args
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if each is not None and each.arg == name:
            return each.annotation
    return _ABSENT


def _given(scope: ast.Module | Function, name: str) -> Iterator[ast.expr | None]:
    """Every value that a name is given here; None for one that can't be followed."""
    for node in _inside(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if name in _names(target):
                        yield value
            case ast.AnnAssign(target=target, value=value) if name in _names(target):
                yield value
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                if name in _names(target):
                    yield value
            case ast.For(target=target, iter=value) if name in _names(target):
                yield value
            case ast.AsyncFor(target=target) if name in _names(target):
                yield None
            case ast.With(items=items) | ast.AsyncWith(items=items):
                if any(each.optional_vars and name in _names(each.optional_vars) for each in items):
                    yield None


def _inside(scope: ast.Module | Function) -> Iterator[ast.AST]:
    """The nodes of a scope, without those of the functions and classes in it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _names(target: ast.expr) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _class(where: Module, name: str) -> ast.ClassDef | None:
    if name in where.classes:
        return where.classes[name]
    dotted, inside = where.imports.get(name, ("", ""))
    other = module(dotted) if inside else None
    return other.classes.get(inside) if other else None


def _is_enum(where: Module, annotation: ast.expr | None) -> bool:
    found = _class(where, annotation.id) if isinstance(annotation, ast.Name) else None
    return found is not None and any(isinstance(base, ast.Name) and base.id.endswith("Enum") for base in found.bases)
