"""A model's weights and gradients, as values to log.

Owns: which parameters are logged and under which names, and reducing each to a number.
Must not know: where the values go, or torch: a model is what has ``named_parameters``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Real
from typing import Any, TypeAlias

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_loggers.checks import checked_names, checked_tag, refusal
from glowplug_loggers.handlers import BaseHandler
from glowplug_loggers.scalars import Path, Scalar, to_scalars

Whitelist: TypeAlias = Sequence[str] | Callable[[str, Any], bool]
"""Names of parameters or layers, or ``f(name, parameter) -> bool``."""


def norm(x: Any) -> Any:
    """Return the Euclidean norm of a tensor.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor without dimensions, where ``x`` is.

    Example:
        >>> class Length:
        ...     def norm(self):
        ...         return 5.0
        >>> norm(Length())
        5.0
    """
    return x.norm()


class BaseWeightsHandler(BaseHandler):
    """The base of handlers that log something of a model's parameters.

    Args:
        model: a module, or anything with ``named_parameters()``.
        tag: what the names begin with: ``tag/weights/layer/weight``.
        whitelist: which parameters are logged: names of parameters (``"fc.weight"``) or of layers
            (``"fc"``: all that is below it), or ``f(name, parameter) -> bool``, asked each time.
            All of them if None.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> class Model:
        ...     def named_parameters(self):
        ...         yield from {"fc1.weight": 1, "fc1.bias": 2, "fc2.weight": 3}.items()
        >>> class Show(BaseWeightsHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         print(dict(self.parameters()))
        >>> Show(Model(), whitelist=["fc1"])(None, None, None)
        {'fc1/weight': 1, 'fc1/bias': 2}
    """

    def __init__(
        self, model: Any, tag: str | None = None, whitelist: Whitelist | None = None
    ) -> None:
        if not callable(getattr(model, "named_parameters", None)):
            raise refusal("model", "a module: it has named_parameters()", model)
        self.model = model
        self.tag = checked_tag(tag)
        self.whitelist = self._checked_whitelist(whitelist)

    def _checked_whitelist(self, whitelist: Whitelist | None) -> Whitelist | None:
        if callable(whitelist):
            return whitelist
        names = checked_names("whitelist", whitelist)
        parameters = [name for name, _ in self.model.named_parameters()]
        missing = [n for n in names or () if not any(_covers(n, p) for p in parameters)]
        if missing:
            layers = {
                p.rsplit(".", level)[0] for p in parameters for level in range(p.count(".") + 1)
            }
            near = "".join(did_you_mean(name, layers) for name in missing)
            raise InvalidArgument(
                f"whitelist names {', '.join(map(repr, missing))}, but {type(self.model).__name__} "
                f"has no such parameter or layer{near} (parameters: {', '.join(parameters)})"
            )
        return names

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """Walk the parameters that are logged, as they are now.

        Yields:
            Their names, with ``/`` for each dot, and the parameters. One that a lazy layer has not
            made yet is left out.
        """
        chosen = self.whitelist
        for name, parameter in self.model.named_parameters():
            if callable(chosen):
                wanted = chosen(name, parameter)
            else:
                wanted = chosen is None or any(_covers(listed, name) for listed in chosen)
            if wanted and not hasattr(parameter, "materialize"):
                yield name.replace(".", "/"), parameter

    def weights(self) -> Iterator[tuple[str, Any]]:
        """Walk the values of the parameters.

        Yields:
            Full names, such as ``tag/weights/fc/bias``, and tensors without gradient.
        """
        for name, parameter in self.parameters():
            yield self.label("weights", name), parameter.detach()

    def gradients(self) -> Iterator[tuple[str, Any]]:
        """Walk the gradients of the parameters that have one.

        Yields:
            Full names, such as ``tag/grads/fc/bias``, and tensors.
        """
        for name, parameter in self.parameters():
            if parameter.grad is not None:
                yield self.label("grads", name), parameter.grad.detach()

    def label(self, kind: str, name: str) -> str:
        """Return the full name under which something is logged.

        Args:
            kind: ``"weights"`` or ``"grads"``.
            name: the parameter's name.
        """
        return f"{self.tag}/{kind}/{name}" if self.tag else f"{kind}/{name}"


class BaseWeightsScalarHandler(BaseWeightsHandler):
    """The base of handlers that log one number for each of a model's parameters.

    All numbers are computed where the model is and fetched together. The reduction runs on the
    writing rank alone, so a model whose parameters are sharded over ranks must not be given to it.

    Args:
        model: a module, or anything with ``named_parameters()``.
        reduction: ``f(tensor)``, a number or a tensor of one element; its name is part of the names
            that are logged.
        tag: what the names begin with: ``tag/weights_norm/layer/weight``.
        whitelist: which parameters are logged; see :class:`BaseWeightsHandler`.

    Raises:
        InvalidType: for an argument of another type, or when ``reduction`` gives no single number
            for the first parameter.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> class Show(BaseWeightsScalarHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         print(self.reduced(self.weights()))
        >>> import torch
        >>> layer = torch.nn.Linear(2, 1, bias=False)
        >>> with torch.no_grad():
        ...     layer.weight.copy_(torch.tensor([[3.0, 4.0]])).shape
        torch.Size([1, 2])
        >>> Show(layer)(None, None, None)
        {'weights_norm/weight': 5.0}
    """

    def __init__(
        self,
        model: Any,
        reduction: Callable[[Any], Any] = norm,
        tag: str | None = None,
        whitelist: Whitelist | None = None,
    ) -> None:
        super().__init__(model, tag, whitelist)
        if not callable(reduction):
            raise refusal("reduction", "callable as f(tensor)", reduction)
        self.reduction = reduction
        for name, parameter in self.parameters():
            self.reduced([(name, parameter.detach())])
            break

    def label(self, kind: str, name: str) -> str:
        """Return the full name, which holds that of the reduction: ``weights_norm/fc/bias``."""
        reduction = getattr(self.reduction, "__name__", type(self.reduction).__name__)
        return super().label(f"{kind}_{reduction}", name)

    def reduced(self, named: Iterable[tuple[str, Any]]) -> dict[str, Scalar]:
        """Reduce each tensor to a number, and fetch all numbers together.

        Args:
            named: names and tensors.

        Returns:
            Numbers by name.

        Raises:
            InvalidType: when the reduction gives anything but a single number.
        """
        results = {name: self.reduction(tensor) for name, tensor in named}
        for name, result in results.items():
            if not isinstance(result, Real) and not _is_single(result):
                self._refuse((name,), result)
        singles = [((n,), r.reshape(()) if _is_single(r) else r) for n, r in results.items()]
        scalars = to_scalars(singles, skipped=self._refuse)
        return {name: value for (name,), value in scalars.items()}

    def _refuse(self, path: Path, value: object) -> None:
        raise InvalidType(
            f"the reduction must give a single number, got {value!r:.80} of type "
            f"{type(value).__name__} for {path[0]!r}"
        )


def _is_single(value: Any) -> bool:
    return hasattr(value, "numel") and value.numel() == 1


def _covers(listed: str, name: str) -> bool:
    """Return whether ``name`` is the listed parameter, or below the listed layer."""
    return name == listed or name.startswith(f"{listed}.")
