"""A folder as nnU-Net leaves it after training, with weights that were never trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

KINDS = {
    "2d": (2, [16, 16]),
    "3d_fullres": (3, [8, 16, 16]),
    "3d_lowres": (3, [8, 16, 16]),
    "3d_cascade_fullres": (3, [8, 16, 16]),
}
SEEN = {"mean": 40.0, "std": 20.0, "percentile_00_5": 5.0, "percentile_99_5": 90.0}
LABELS = {"background": 0, "lesion": 1, "organ": 2}
REGIONS = {"background": 0, "whole": [1, 2], "core": [2]}


def architecture_of(axes: int) -> dict[str, Any]:
    """Network of three stages."""
    arguments = {
        "n_stages": 3,
        "features_per_stage": [4, 4, 8],
        "conv_op": f"torch.nn.modules.conv.Conv{axes}d",
        "kernel_sizes": [[3] * axes] * 3,
        "strides": [[1] * axes, [2] * axes, [2] * axes],
        "n_conv_per_stage": [1, 1, 1],
        "n_conv_per_stage_decoder": [1, 1],
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{axes}d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    return {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": arguments,
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def plans_of(configuration: str, scheme: str, masked: bool, channels: int = 1) -> dict[str, Any]:
    """Plans of one configuration, as nnU-Net's planner writes them."""
    axes, patch = KINDS[configuration]
    resample = {
        f"resampling_fn_{what}": "resample_data_or_seg_to_shape"
        for what in ("data", "seg", "probabilities")
    }
    options = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    configured = {
        "data_identifier": f"nnUNetPlans_{configuration}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": patch,
        "median_image_size_in_voxels": [20.0] * axes,
        "spacing": [1.0] * axes,
        "normalization_schemes": [scheme] * channels,
        "use_mask_for_norm": [masked] * channels,
        **resample,
        **{f"{name}_kwargs": options for name in resample},
        "architecture": architecture_of(axes),
        "batch_dice": True,
    }
    stages = {configuration: configured}
    if configuration == "3d_lowres":
        configured |= {"spacing": [2.0] * axes, "next_stage": "3d_cascade_fullres"}
    if configuration == "3d_cascade_fullres":
        configured["previous_stage"] = "3d_lowres"
        stages["3d_lowres"] = plans_of("3d_lowres", scheme, masked)["configurations"]["3d_lowres"]
    return {
        "dataset_name": "Dataset001_Tiny",
        "plans_name": "nnUNetPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": stages,
        "foreground_intensity_properties_per_channel": {str(n): SEEN for n in range(channels)},
        "image_reader_writer": "SimpleITKIO",
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
    }


def sharpen(network: nn.Module) -> None:
    """Spread the scores of a network that was never trained, so that classes differ by pixel."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.mul_(0.0 if name.endswith("bias") else 1.5)


def write_trained(
    root: Path,
    configuration: str = "2d",
    scheme: str = "CTNormalization",
    masked: bool = False,
    labels: dict[str, Any] = LABELS,
    folds: int = 1,
    channels: int = 1,
) -> Path:
    """Write the folder through nnU-Net's own trainer; its three folders are below ``root``."""
    plans = plans_of(configuration, scheme, masked, channels)
    names = {str(number): "CT" for number in range(channels)}
    dataset = {"channel_names": names, "labels": labels, "file_ending": ".nii.gz"}
    if labels is REGIONS:
        dataset["regions_class_order"] = [1, 2]
    prepared = root / "preprocessed" / "Dataset001_Tiny" / f"nnUNetPlans_{configuration}"
    prepared.mkdir(parents=True, exist_ok=True)
    (prepared / "case.b2nd").touch()
    homes = [_write_fold(plans, configuration, fold, dataset) for fold in range(folds)]
    (homes[0] / "plans.json").write_text(json.dumps(plans))
    (homes[0] / "dataset.json").write_text(json.dumps(dataset))
    return homes[0]


def _write_fold(
    plans: dict[str, Any], configuration: str, fold: int, dataset: dict[str, Any]
) -> Path:
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    torch.manual_seed(fold)
    given = {**plans, "continue_training": False}
    trainer = nnUNetTrainer(given, configuration, fold, dataset, torch.device("cpu"))
    trainer.initialize()
    sharpen(trainer.network)
    trainer.inference_allowed_mirroring_axes = tuple(range(KINDS[configuration][0]))
    trainer._best_ema = np.float64(0.5)
    trainer.save_checkpoint(str(Path(trainer.output_folder) / "checkpoint_final.pth"))
    return Path(trainer.output_folder_base)
