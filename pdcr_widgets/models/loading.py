"""`load_model`: a trained network from its file or folder."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.scores import scores_in
from pdcr_widgets.models.folders import load_folder
from pdcr_widgets.models.onnx import OnnxModel
from pdcr_widgets.models.weights import put_weights, read_weights, state_in


def load_model(
    path: str | Path,
    model: nn.Module | None = None,
    *,
    strict: bool = True,
    trust: bool = False,
    like: Any = None,
    mirror: bool = True,
) -> Any:
    """Load a trained network on the CPU, in evaluation mode.

    Parameters
    ----------
    path
        A ``.safetensors`` file or a checkpoint of weights (with ``model``); a TorchScript file; a
        program of ``torch.export`` (``.pt2``); an ``.onnx`` file; a folder that ``save_pretrained``
        of transformers or segmentation_models_pytorch wrote, with the sizes, crop, channel order
        and values of its image processor, which takes bytes, 0..255; a MONAI bundle, with its
        preprocessing, inferer and activation; a trained folder of nnU-Net version 2 or one of its
        folds, with its cropping, normalisation, resampling, windows and mirroring. TorchScript and
        exported files are programs, and a folder chooses which network is built: load those whose
        origin you know.
    model
        Network to put the weights in, changed in place. Only for files of weights.
    strict
        Whether every name and shape must fit. If not, what differs is left as it is in ``model``
        and told in a warning.
    trust
        Allow a pickle or a MONAI bundle's configuration to run its author's code. False refuses it.
    like
        The opened image, or the volume that slices come from. An nnU-Net folder takes from it how
        images are cropped, normalised and resampled; without it each image is normalised by itself
        and taken to have the spacing that the network was trained with. A bundle that resamples or
        reorients needs it, for its place in space.
    mirror
        For nnU-Net folders: average over flipped images as the folder says and nnU-Net does by
        default, so that what is explained is what is deployed. False is 4 (slices) to 8 times
        (volumes) faster, and another function.

    Returns
    -------
    torch.nn.Module or callable
        What `segmenter` takes; an ONNX file gives a callable.

    Raises
    ------
    ValueError
        There is no such file, it is damaged, runs code, does not fit ``model``, or needs one.
    ImportError
        The library it needs is not installed; the message says how to get it.
    """
    path = Path(path)
    if path.is_dir():
        return load_folder(path, strict, trust, like, mirror).eval()
    if not path.is_file():
        raise ValueError(f"{path} does not exist")
    if path.suffix == ".onnx":
        return OnnxModel(path)
    if path.suffix == ".pt2":
        return _exported(path)
    if _is_script(path):
        return _script(path)
    content = read_weights(path, trust)
    if isinstance(content, nn.Module):
        return content.eval()
    state = state_in(content, path.name)
    if model is None:
        raise ValueError(
            f"{path.name} holds {len(state)} weights ({', '.join(list(state)[:4])}, ...) but not "
            "the network they belong to; build it and give it as load_model(path, model)"
        )
    return put_weights(model, state, path.name, strict).eval()


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _script(path: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
            script: nn.Module = torch.jit.load(str(path), map_location="cpu")
    except RuntimeError as error:
        raise ValueError(f"{path.name} cannot be read as TorchScript: {error}") from error
    return script.eval()


def _exported(path: Path) -> nn.Module:
    try:
        program = torch.export.load(path)
        module: nn.Module = program.module()
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read as an exported program: {error}") from error
    return OneByOne(module) if _batch_of(program) == 1 else module


class OneByOne(nn.Module):
    """A program that was made for one image at a time, called once per image."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Scores of ``(batch, channels, *spatial)`` images."""
        found = [scores_in(self.program(image)) for image in images.split(1)]
        return torch.cat([scores for scores in found if scores is not None])


def _batch_of(program: Any) -> Any:
    """Batch size that a program is fixed to; something else where it is free."""
    inputs = set(program.graph_signature.user_inputs)
    nodes = [node for node in program.graph.nodes if node.name in inputs]
    value = nodes[0].meta.get("val") if nodes else None
    return value.shape[0] if isinstance(value, Tensor) and value.ndim else None
