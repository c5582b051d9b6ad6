"""ONNX files, run by onnxruntime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.needs import needs

FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxModel:
    """Callable on ``(batch, channels, *spatial)`` that gives the first output of an ONNX file.

    Only plain forward passes are possible: layers inside it cannot be intervened on.

    Parameters
    ----------
    path
        File to load. A file whose batch size is fixed to 1 is called once per image.

    Raises
    ------
    ValueError
        The file is damaged, or takes something else than one image tensor.
    ImportError
        onnxruntime is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        runtime = needs("onnxruntime", "models")
        try:
            self._session = runtime.InferenceSession(
                Path(path).read_bytes(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ValueError(f"{Path(path).name} cannot be read as ONNX: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in FLOATS:
            given = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise ValueError(f"the model must take one tensor of images, it takes: {given}")
        self._name = inputs[0].name
        self._dtype = FLOATS[inputs[0].type]
        self._one_by_one = inputs[0].shape[0] == 1

    def __call__(self, images: Tensor) -> Tensor:
        """Scores on the device and with the floating point type of the images."""
        values = images.detach().cpu().numpy().astype(self._dtype)
        parts = np.split(values, len(values)) if self._one_by_one else [values]
        outputs = [self._session.run(None, {self._name: part})[0] for part in parts]
        return torch.from_numpy(np.concatenate(outputs)).to(images)
