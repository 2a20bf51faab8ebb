"""What a step says of boxes: found ones and true ones, of several images.

Owns: the two forms of it, and making rows of numbers of it.
Must not know: what is made of the boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType

Image: TypeAlias = Mapping[str, Tensor]

FOUND = ("bbox", "confidence", "class")
TRUE = ("bbox", "class")
OPTIONAL = ("iscrowd", "area")
COLUMNS = {"y_pred": "(D, 6)", "y": "(G, 5) or (G, 6)"}


def coco_tensor_list_to_dict_list(output: tuple[Any, Any]) -> tuple[list[Any], list[Any]]:
    """Return boxes that come as tensors as the mappings that detection metrics take.

    Args:
        output: ``(y_pred, y)``, lists of one tensor for each image. Rows of ``y_pred`` ``(D, 6)``
            are ``x1, y1, x2, y2, confidence, class``, those of ``y`` ``(G, 5)`` or ``(G, 6)`` are
            ``x1, y1, x2, y2, class`` and, where there is one more, whether the box is of a crowd.
            A list of mappings stays as it is.

    Returns:
        ``(y_pred, y)``, lists of mappings of tensors: ``bbox`` ``(D, 4)``, ``confidence`` ``(D,)``,
        ``class`` ``(D,)`` of int64, and in ``y``, where it is known, ``iscrowd`` ``(G,)`` of bool.

    Raises:
        InvalidType: when the output is not two lists of tensors or mappings.
        InvalidArgument: for tensors of another shape.

    Example:
        >>> found = [torch.tensor([[0.0, 0.0, 8.0, 8.0, 0.9, 2.0]])]
        >>> true = [torch.tensor([[0.0, 0.0, 8.0, 4.0, 2.0]])]
        >>> y_pred, y = coco_tensor_list_to_dict_list((found, true))
        >>> y_pred[0]["confidence"], y_pred[0]["class"], list(y[0])
        (tensor([0.9000]), tensor([2]), ['bbox', 'class'])
    """
    if not (isinstance(output, Sequence) and len(output) == 2):
        raise InvalidType(
            f"expected (y_pred, y), two lists, got {type(output).__name__}: {output!r}"
        )
    y_pred, y = (
        [_as_mapping(image, side) for image in images] if _is_list(images) else images
        for images, side in zip(output, COLUMNS, strict=True)
    )
    return y_pred, y


def _is_list(images: Any) -> bool:
    return isinstance(images, (list, tuple))


def _as_mapping(rows: Any, side: str) -> Any:
    if isinstance(rows, Mapping):
        return rows
    if not isinstance(rows, Tensor):
        raise InvalidType(
            f"{side} must hold a tensor {COLUMNS[side]} or a mapping for each image, got "
            f"{type(rows).__name__}"
        )
    widths = (6,) if side == "y_pred" else (5, 6)
    if rows.ndim != 2 or rows.shape[1] not in widths:
        raise InvalidArgument(
            f"{side} must hold a tensor of shape {COLUMNS[side]} for each image, got "
            f"{tuple(rows.shape)}"
        )
    if side == "y_pred":
        return {"bbox": rows[:, :4], "confidence": rows[:, 4], "class": rows[:, 5].long()}
    image = {"bbox": rows[:, :4], "class": rows[:, 4].long()}
    if rows.shape[1] == 6:
        image["iscrowd"] = rows[:, 5].bool()
    return image


def check_images(metric: str, output: Any) -> None:
    """Refuse what is not found and true boxes of images, one mapping of tensors for each image.

    Raises:
        InvalidType: for other types.
        InvalidArgument: for lists of different lengths, missing keys or other shapes.
    """
    lists = isinstance(output, (tuple, list)) and len(output) == 2 and all(map(_is_list, output))
    images = [image for side in output for image in side] if lists else []
    if not lists or not all(isinstance(image, Mapping) for image in images):
        raise InvalidType(
            f"{metric} expected (y_pred, y), two lists of one mapping for each image, with "
            f"{', '.join(FOUND)} in y_pred, and {', '.join(TRUE)} in y; got {_kinds(output)}; "
            "output_transform=coco_tensor_list_to_dict_list makes them of tensors"
        )
    if len(output[0]) != len(output[1]):
        raise InvalidArgument(
            f"{metric} expected y_pred and y of the same images, got {len(output[0])} and "
            f"{len(output[1])}"
        )
    for name, side, keys in zip(("y_pred", "y"), output, (FOUND, TRUE), strict=True):
        for index, image in enumerate(side):
            if problem := _problem_with(image, keys):
                raise InvalidArgument(f"{metric} expected {problem}, in image {index} of {name}")


def _problem_with(image: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    missing = [key for key in keys if key not in image]
    if missing:
        return f"the keys {', '.join(keys)}, got {', '.join(image)}"
    present = [*keys, *(key for key in OPTIONAL if key in image and "confidence" not in keys)]
    for key in present:
        value = image[key]
        if not isinstance(value, Tensor) or value.is_complex():
            return f"{key} to be a tensor of real numbers, got {_kinds(value)}"
        boxes = image["bbox"]
        fits = (
            value.ndim == 2 and value.shape[1] == 4
            if key == "bbox"
            else value.shape == boxes.shape[:1]
        )
        if not fits:
            form = "(D, 4)" if key == "bbox" else f"(D,) = ({len(boxes)},)"
            return f"{key} of shape {form}, got {tuple(value.shape)}"
    return None


def _kinds(output: Any) -> str:
    if isinstance(output, (tuple, list)) and output:
        kinds = [
            f"{type(part).__name__} of {_kinds(part)}"
            if _is_list(part) and part
            else type(part).__name__
            for part in output[:2]
        ]
        return f"({', '.join(kinds)})"
    return type(output).__name__


def found_rows(images: Sequence[Image], dtype: torch.dtype) -> Tensor:
    """Return the found boxes of all images, ``(D, 6)``: box, confidence, class.

    Example:
        >>> one = {"bbox": torch.ones(1, 4), "confidence": torch.ones(1), "class": torch.ones(1)}
        >>> found_rows([one, one], torch.float64).shape
        torch.Size([2, 6])
    """
    return _rows([[image[key] for image in images] for key in FOUND], dtype)


def true_rows(images: Sequence[Image], dtype: torch.dtype) -> Tensor:
    """Return the true boxes of all images, ``(G, 7)``: box, class, whether of a crowd, area.

    Example:
        >>> one = {"bbox": torch.tensor([[0.0, 0.0, 2.0, 3.0]]), "class": torch.tensor([5])}
        >>> true_rows([one], torch.float64)
        tensor([[0., 0., 2., 3., 5., 0., 6.]], dtype=torch.float64)
    """
    rows = _rows([[image[key] for image in images] for key in TRUE], dtype)
    crowds = [_or(image, "iscrowd", lambda boxes: boxes.new_zeros(len(boxes))) for image in images]
    areas = [_or(image, "area", lambda boxes: areas_of(boxes.to(dtype))) for image in images]
    return torch.cat((rows, _rows([crowds, areas], dtype)), dim=1)


def _or(image: Image, key: str, default: Any) -> Tensor:
    value: Tensor = image[key] if key in image else default(image["bbox"])
    return value


def _rows(columns: Sequence[Sequence[Tensor]], dtype: torch.dtype) -> Tensor:
    joined = [torch.cat([part.detach().to(dtype) for part in parts]) for parts in columns]
    return torch.cat([part if part.ndim == 2 else part.unsqueeze(1) for part in joined], dim=1)


def areas_of(boxes: Tensor) -> Tensor:
    """Return the areas of boxes.

    Args:
        boxes: ``(..., 4)``, of which each is ``x1, y1, x2, y2``.

    Returns:
        A tensor ``(...)``.

    Example:
        >>> areas_of(torch.tensor([1.0, 1.0, 3.0, 4.0]))
        tensor(6.)
    """
    sizes = boxes[..., 2:4] - boxes[..., 0:2]
    return sizes[..., 0] * sizes[..., 1]
