#!/usr/bin/env python3
"""Opt-in: lets other software judge a published checkpoint.

    pip install numpy safetensors                 # enough for names, bytes, and the network in NumPy
    pip install timm torchvision huggingface_hub  # optional: the snippets of the model card
    psimagenet publish RUN --name NAME
    python3 Tests/Peers/check_checkpoint.py Checkpoints/NAME
"""
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

folder = pathlib.Path(sys.argv[1])
TOLERANCE = 1e-4  # of the largest magnitude; for logits, which are differences, ten times as much
BLOCKS = {"resnet10": [1, 1, 1, 1], "resnet18": [2, 2, 2, 2]}


def agree(name, found, expected):
    assert found.shape == expected.shape, (name, found.shape, expected.shape)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert difference <= (10 if name == "logits" else 1) * TOLERANCE, f"{name}: {difference}"
    return difference


def expected_shapes(name, width, side):
    """torchvision's names and shapes, as a rule."""
    if name == "lenet5":
        flat = 16 * (((side - 4) // 2 - 4) // 2) ** 2
        shapes = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, flat), "fc2": (84, 120)}
        return {f"{k}.{p}": s if p == "weight" else s[:1] for k, s in shapes.items() for p in ("weight", "bias")}
    shapes = {"conv1.weight": (width, 1, 7, 7)}

    def norm(path, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{path}.{part}"] = (channels,)
        shapes[f"{path}.num_batches_tracked"] = ()

    norm("bn1", width)
    before = width
    for stage, count in enumerate(BLOCKS[name]):
        channels = width << stage
        for block in range(count):
            path = f"layer{stage + 1}.{block}"
            shapes[f"{path}.conv1.weight"] = (channels, before, 3, 3)
            shapes[f"{path}.conv2.weight"] = (channels, channels, 3, 3)
            norm(f"{path}.bn1", channels)
            norm(f"{path}.bn2", channels)
            if stage > 0 and block == 0:
                shapes[f"{path}.downsample.0.weight"] = (channels, before, 1, 1)
                norm(f"{path}.downsample.1", channels)
            before = channels
    return shapes


def windows(x, kernel, stride, padding, fill):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]


def conv(x, weight, stride=1, padding=0, bias=0.0):
    y = np.tensordot(windows(x, weight.shape[2], stride, padding, 0), weight, axes=((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(y, 3, 1) + np.reshape(bias, (1, -1, 1, 1))


def max_pool(x, kernel, stride, padding=0):
    return windows(x, kernel, stride, padding, -np.inf).max(axis=(4, 5))


def relu(x):
    return np.maximum(x, 0)


def stages(x, w, name):
    """The network in double precision, written from the papers: feature maps, shallow to deep."""
    if name == "lenet5":
        first = max_pool(relu(conv(x, w["conv1.weight"], bias=w["conv1.bias"])), 2, 2)
        second = max_pool(relu(conv(first, w["conv2.weight"], bias=w["conv2.bias"])), 2, 2)
        third = relu(second.reshape(len(x), -1) @ w["fc1.weight"].T + w["fc1.bias"])
        fourth = relu(third @ w["fc2.weight"].T + w["fc2.bias"])
        return [first, second, third[:, :, None, None], fourth[:, :, None, None]]

    def norm(x, path):
        scale = w[f"{path}.weight"] / np.sqrt(w[f"{path}.running_var"] + 1e-5)
        shift = w[f"{path}.bias"] - w[f"{path}.running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    x = max_pool(relu(norm(conv(x, w["conv1.weight"], 2, 3), "bn1")), 3, 2, 1)
    maps = []
    for stage, count in enumerate(BLOCKS[name]):
        for block in range(count):
            path, stride = f"layer{stage + 1}.{block}", 2 if stage > 0 and block == 0 else 1
            y = relu(norm(conv(x, w[f"{path}.conv1.weight"], stride, 1), f"{path}.bn1"))
            y = norm(conv(y, w[f"{path}.conv2.weight"], 1, 1), f"{path}.bn2")
            if f"{path}.downsample.0.weight" in w:
                x = norm(conv(x, w[f"{path}.downsample.0.weight"], stride), f"{path}.downsample.1")
            x = relu(x + y)
        maps.append(x)
    return maps


config = json.loads((folder / "config.json").read_text())
meaning = config["psimagenet"]
name, side, scaling = meaning["backbone"]["name"], meaning["side"], meaning["scaling"]
width = meaning["backbone"]["settings"].get("width", 64)

listed = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
present = {p.name for p in folder.iterdir() if not p.name.startswith(".")} - {"SHA256SUMS"}
assert set(listed) == present, (sorted(listed), sorted(present))
for file, digest in listed.items():
    assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest, file
print(f"SHA256SUMS: {len(listed)} files are as listed")

weights, head = load_file(folder / "model.safetensors"), load_file(folder / "head.st")
shapes = expected_shapes(name, width, side)
assert {k: v.shape for k, v in weights.items()} == shapes, set(weights) ^ set(shapes)
for key, value in weights.items():
    counts = key.endswith("num_batches_tracked")
    assert value.dtype == (np.int64 if counts else np.float32), key
    assert value == meaning["step"] if counts else np.isfinite(value).all(), key
with tempfile.TemporaryDirectory() as scratch:
    again = pathlib.Path(scratch) / "again.safetensors"
    for file in ("model.safetensors", "head.st", "reference.safetensors"):
        save_file(load_file(folder / file), again, metadata={"format": "pt"})
        assert again.read_bytes() == (folder / file).read_bytes(), f"the reference writes {file} otherwise"
print(f"model.safetensors: {len(weights)} tensors under torchvision's names; safetensors writes the same bytes")

reference = load_file(folder / "reference.safetensors")
measured = reference["weight"] >= scaling["minimumWeight"]
x = np.where(measured, (reference["picture"] - scaling["mean"]) / scaling["deviation"], 0)[:, None]
assert config["pretrained_cfg"]["mean"] == [scaling["mean"]] and config["pretrained_cfg"]["std"] == [scaling["deviation"]]
worst = agree("input", x, reference["input"])
double = {k: v.astype(np.float64) for k, v in weights.items()}
seen = reference["input"].astype(np.float64)
means = [m.mean(axis=(2, 3)) for m in stages(seen, double, name)]
for stage, mean in enumerate(means):
    worst = max(worst, agree(f"stage.{stage + 1}", mean, reference[f"stage.{stage + 1}"]))
worst = max(worst, agree("codeword", means[-1], reference["codeword"]))


def score(codewords):
    return codewords @ head["head.weight"].T.astype(np.float64) + head.get("head.bias", 0)


task, logits = meaning["task"], score(means[-1])
if task["name"] == "flip":
    if task["settings"]["antisymmetric"]:
        logits = logits - score(stages(seen[..., ::-1], double, name)[-1].mean(axis=(2, 3)))
    logits = logits[:, 0]
worst = max(worst, agree("logits", logits, reference["logits"]))
print(f"NumPy, float64: input, {len(means)} stages, codeword and logits agree; worst {worst:.1e} of the largest magnitude")

has = {module: importlib.util.find_spec(module) is not None for module in ("torch", "torchvision", "timm", "huggingface_hub")}
if has["huggingface_hub"]:
    from huggingface_hub import ModelCard

    card = ModelCard.load(folder / "README.md")
    assert card.data.license and card.data.pipeline_tag == "image-feature-extraction", card.data.to_dict()
    print(f"huggingface_hub: the card's front matter is valid; {len(card.data.eval_results or [])} result")
if has["torch"]:
    import torch
    from safetensors.torch import load_file as load_torch

    tensors, pictures = load_torch(folder / "model.safetensors"), torch.from_numpy(reference["input"])

    def judge(who, model, picture=pictures):
        model.eval()
        with torch.no_grad():
            print(f"{who}: codewords differ by {agree(who, model(picture).numpy(), reference['codeword']):.1e}")

    if has["torchvision"] and name in BLOCKS and width == 64:
        from torchvision.models.resnet import BasicBlock, ResNet

        model = ResNet(BasicBlock, BLOCKS[name])
        model.conv1, model.fc = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False), torch.nn.Identity()
        model.load_state_dict(tensors, strict=True)
        judge("torchvision", model)
    if has["timm"]:
        import timm

        if config["architecture"] == "resnet18":
            judge("timm", timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True))
            model = timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True, num_classes=7, in_chans=3)
            assert model(torch.zeros(2, 3, side, side)).shape == (2, 7)
            data = timm.data.resolve_data_config(model=timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True))
            assert data["input_size"] == (1, side, side), data
            assert tuple(data["mean"]) == (scaling["mean"],) and tuple(data["std"]) == (scaling["deviation"],), data
            features = timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True, features_only=True).eval()
            with torch.no_grad():
                maps = features(pictures)[-len(means):]
            for stage, values in enumerate(maps):
                agree(f"timm stage.{stage + 1}", values.mean(dim=(2, 3)).numpy(), reference[f"stage.{stage + 1}"])
            print("timm: 7 classes, 3 channels and features_only (the stages agree) load as well; size, mean and std come from config.json")
        else:
            try:
                timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True)
            except RuntimeError as error:
                print(f"timm refuses {config['architecture']}, as the card says: {error}")
            else:
                raise AssertionError(f"timm built {config['architecture']}")

# The Python snippets of the card, as a reader would paste them.
os.chdir(folder)
run, left = 0, 0
for snippet in re.findall(r"```python\n(.*?)```", (pathlib.Path("README.md")).read_text(), re.DOTALL):
    needed = set(re.findall(r"^(?:import|from) (torchvision|torch|timm)", snippet, re.MULTILINE))
    if all(has[module] for module in needed):
        exec(compile(snippet, "README.md", "exec"), {})
        run += 1
    else:
        left += 1
print(f"README.md: {run} Python snippets run" + (f", {left} left out for want of their packages" if left else ""))
