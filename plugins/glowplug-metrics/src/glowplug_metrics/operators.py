"""The operators of metrics.

Owns: which operators there are.
Must not know: what comes of them.
"""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar


class Arithmetic:
    """``+ - * / // % ** @``, from either side, ``-m``, ``+m``, ``abs(m)`` and ``m[key]``.

    Comparisons are left out: ``max(a, b)`` and ``a == b`` speak of the metrics themselves, and a
    comparison of values is ``MetricsLambda(operator.gt, a, b)``.
    """

    # With __getitem__ alone Python would count indices up for ever to iterate or to search.
    __iter__: ClassVar[None] = None
    __contains__: ClassVar[None] = None
    # A NumPy number on the left leaves the operation to the metric.
    __array_ufunc__: ClassVar[None] = None

    @abstractmethod
    def _combined(self, f: Callable[..., Any], *operands: Any) -> Any:
        """Return a metric whose value is ``f`` of the operands' values."""

    def __add__(self, other: Any) -> Any:
        return self._combined(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self._combined(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._combined(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._combined(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self._combined(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._combined(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._combined(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._combined(operator.truediv, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._combined(operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._combined(operator.floordiv, other, self)

    def __mod__(self, other: Any) -> Any:
        return self._combined(operator.mod, self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._combined(operator.mod, other, self)

    def __pow__(self, other: Any) -> Any:
        return self._combined(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._combined(operator.pow, other, self)

    def __matmul__(self, other: Any) -> Any:
        return self._combined(operator.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._combined(operator.matmul, other, self)

    def __neg__(self) -> Any:
        return self._combined(operator.neg, self)

    def __pos__(self) -> Any:
        return self._combined(operator.pos, self)

    def __abs__(self) -> Any:
        return self._combined(operator.abs, self)

    def __getitem__(self, key: Any) -> Any:
        return self._combined(operator.getitem, self, key)
