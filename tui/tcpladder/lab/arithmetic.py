"""Numbers of an experiment that follow from others: `2 ** (retries + 1) - 1`, `log2(timeout)`. Pure."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping

from tcpladder.errors import UsageError

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_LARGEST_POWER = 64


def evaluate(written: float | str, numbers: Mapping[str, int]) -> float:
    """A number, or what an expression of numbers, names, + - * / ** and log2(), rounded down, comes to.

    Raises UsageError for anything else, with the words that are not understood.
    """
    if not isinstance(written, str):
        return written
    try:
        return _value(ast.parse(written, mode="eval").body, numbers)
    except (SyntaxError, KeyError, ValueError, ArithmeticError):
        have = ", ".join(numbers) or "none"
        raise UsageError(f"cannot calculate {written!r}: numbers, + - * / **, log2() and {have}") from None


def _value(node: ast.expr, numbers: Mapping[str, int]) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name):
            return numbers[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second = _value(left, numbers), _value(right, numbers)
            if isinstance(op, ast.Pow) and not -_LARGEST_POWER <= second <= _LARGEST_POWER:
                raise ValueError
            return _OPERATORS[type(op)](first, second)
        case ast.Call(func=ast.Name(id="log2"), args=[argument], keywords=[]):
            return math.floor(math.log2(_value(argument, numbers)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, numbers)
    raise ValueError
