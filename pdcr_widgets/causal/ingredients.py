"""What a result was made from: digests of model, image and masks, versions, device, precision."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.scores import short
from pdcr_widgets.causal.segmenter import Segmenter

_DIGESTS: WeakKeyDictionary[nn.Module, tuple[Any, str]] = WeakKeyDictionary()
_LOCK = threading.Lock()
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def ingredients(segmenter: Segmenter, image: Tensor) -> dict[str, Any]:
    """Describe what predicts, on what, and where.

    Parameters
    ----------
    segmenter
        Resolved segmenter.
    image
        ``(channels, *spatial)`` as the model gets it.

    Returns
    -------
    dict
        ``model`` (SHA-256 of structure and weights; None for a plain callable) and ``image``
        (SHA-256 of its values), how the output is read, and the ``environment``.
    """
    activation = segmenter.activation
    own = f"function {getattr(activation, '__name__', 'without a name')}"
    return {
        "model": model_digest(segmenter.model),
        "image": tensor_digest(image),
        "target": segmenter.target,
        "activation": activation if isinstance(activation, str) else own,
        "probability_threshold": segmenter.threshold,
        "environment": environment(image),
    }


def environment(image: Tensor) -> dict[str, Any]:
    """Describe what rounding depends on: versions, device, precision and number of threads."""
    import pdcr_widgets

    return {
        "pdcr_widgets": pdcr_widgets.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "device": device_name(image.device),
        "precision": f"{short(image.dtype)}, products {torch.get_float32_matmul_precision()}",
        "threads": torch.get_num_threads(),
    }


def device_name(device: torch.device) -> str:
    """Name a device and its kind, without its number."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.backends.cpu.get_cpu_capability()})"
    return device.type


def model_digest(model: Any) -> str | None:
    """SHA-256 of a module's structure, parameters and buffers; None for another callable.

    Kept for as long as the module lives and its tensors are those that were read: the same places,
    versions and norms.
    """
    if not isinstance(model, nn.Module):
        return None
    tensors = [*model.named_parameters(), *model.named_buffers()]
    seen = _fingerprint([tensor for _, tensor in tensors])
    with _LOCK:
        known = _DIGESTS.get(model)
        if known is not None and known[0] == seen:
            return known[1]
    digest = hashlib.sha256()
    for path, module in model.named_modules():
        told = _ADDRESS.sub("", module.extra_repr())
        digest.update(f"{path}:{type(module).__qualname__}({told})\n".encode())
    for path, tensor in tensors:
        digest.update(path.encode())
        _read(digest, tensor)
    with _LOCK:
        _DIGESTS[model] = (seen, digest.hexdigest())
    return digest.hexdigest()


def tensor_digest(values: Tensor) -> str:
    """SHA-256 of a tensor's type, shape and bytes."""
    digest = hashlib.sha256()
    _read(digest, values)
    return digest.hexdigest()


def mask_digest(mask: np.ndarray) -> str:
    """SHA-256 of a boolean array's shape and values."""
    digest = hashlib.sha256(str(mask.shape).encode())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()


def mask_to_runs(mask: np.ndarray) -> dict[str, Any]:
    """Write a mask as lengths of runs, row-major, the first one of pixels outside it."""
    flat = np.concatenate([[False], mask.reshape(-1)])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return {"shape": list(mask.shape), "runs": np.diff([0, *changes, mask.size]).tolist()}


def mask_from_runs(written: Mapping[str, Any]) -> np.ndarray:
    """Read what `mask_to_runs` wrote.

    Raises
    ------
    ValueError
        The runs do not fill the shape.
    """
    runs = np.asarray(written["runs"], dtype=np.int64)
    shape = tuple(int(side) for side in written["shape"])
    if runs.sum() != np.prod(shape) or (runs < 0).any():
        raise ValueError(
            f"the mask's runs hold {runs.sum()} pixels and its shape is {shape}; the recipe was "
            f"changed or cut"
        )
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape)


def _read(digest: Any, tensor: Tensor) -> None:
    held = tensor.detach().cpu().contiguous()
    digest.update(f"{held.dtype}{tuple(held.shape)}".encode())
    digest.update(held.reshape(-1).view(torch.uint8).numpy().data)


def _fingerprint(tensors: list[Tensor]) -> tuple[Any, ...]:
    """Tell whether weights changed: in place by versions, behind torch's back by norms."""
    floats = [t.detach() for t in tensors if t.is_floating_point() and t.numel()]
    norms = [norm.double() for norm in torch._foreach_norm(floats)] if floats else []
    places = tuple(
        (t.data_ptr(), -1 if t.is_inference() else t._version, tuple(t.shape)) for t in tensors
    )
    return places, tuple(norm.item() for norm in norms)
