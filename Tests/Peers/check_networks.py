#!/usr/bin/env python3
"""Opt-in: one training step of every network, beside PyTorch.

    pip install torch torchvision timm segmentation-models-pytorch safetensors
    swift build -c release --product psimagenet
    python3 Tests/Peers/check_networks.py [--only resnet18 --only unet] [--channels 1] [--program PATH]
    python3 Tests/Peers/check_networks.py --table      # names, shapes and counts, for Tests/NetworksTests

Every network is built by its own library (CNN-F/M/S by hand from table 1 of arXiv:1405.3531), with random weights and random
normalisation statistics, dropout off. The same weights, pictures and answers go to `psimagenet step`. Compared are logits,
loss, the gradient of every parameter and every running mean and variance after the step.

The judge is PyTorch in float64; PyTorch in float32 runs beside it, to tell what float32 itself can do. A distance is
|a - b| / |b| in the Euclidean norm of the whole array. A bias in front of a batch normalisation has no influence, or little
where a rectifier stands between, and its gradient is a small difference of large terms: the distance of a bias is counted in
norms of the gradient of its layer's weight, where that is larger than its own.

A rectifier or maximum that rounding sends the other way changes the gradient by far more than rounding does, in any program, and
networks have a million of them. So normalisations get shifts of three of their deviations (`--shift`), up or down: most channels
are mostly open or mostly shut, and few values lie near zero. (Up only where there are depthwise convolutions: a shut channel has
no variance that the next normalisation could divide by.) With `--shift 0` gradients mostly tell how many values fell on the other
side, here and in PyTorch's own float32; logits, loss and statistics tell as much as ever. And of several draws of pictures the one is taken whose values lie farthest, in
the float64 forward pass, from any kink; the column `kink` says how far, in root mean squares of the map. A network that is beyond
the limit all the same is tried again with other weights and pictures (`--tries`): a fault of the program shows in every try, a
value on a kink does not. Every try is a line of the table.
"""
import argparse
import copy
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

LIMIT = 1e-4


class Chatfield(nn.Module):
    """Table 1 of arXiv:1405.3531; windows of the poolings, and names, as in the authors' Caffe models."""

    TABLE = {  # channels, kernel, stride, padding, normalised, pooling
        "f": [(64, 11, 4, 0, True, (3, 2)), (256, 5, 1, 2, True, (3, 2)), (256, 3, 1, 1, False, None), (256, 3, 1, 1, False, None), (256, 3, 1, 1, False, (3, 2))],
        "m": [(96, 7, 2, 0, True, (3, 2)), (256, 5, 2, 1, True, (3, 2)), (512, 3, 1, 1, False, None), (512, 3, 1, 1, False, None), (512, 3, 1, 1, False, (3, 2))],
        "s": [(96, 7, 2, 0, True, (3, 3)), (256, 5, 1, 1, False, (2, 2)), (512, 3, 1, 1, False, None), (512, 3, 1, 1, False, None), (512, 3, 1, 1, False, (3, 3))],
    }

    def __init__(self, kind, channels, classes):
        super().__init__()
        self.layers = self.TABLE[kind]
        for index, (width, kernel, stride, padding, _, _) in enumerate(self.layers):
            setattr(self, f"conv{index + 1}", nn.Conv2d(channels, width, kernel, stride, padding))
            channels = width
        self.fc6, self.fc7, self.fc8 = nn.Linear(channels * 36, 4096), nn.Linear(4096, 4096), nn.Linear(4096, classes)

    def forward(self, x):
        for index, (_, _, _, _, normalised, pooling) in enumerate(self.layers):
            x = F.relu(getattr(self, f"conv{index + 1}")(x))
            if normalised:
                x = F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2)
            if pooling:
                x = F.max_pool2d(x, *pooling, ceil_mode=True)
        x = F.adaptive_avg_pool2d(x, 6).flatten(1)
        return self.fc8(F.relu(self.fc7(F.relu(self.fc6(x)))))


class LeNet(nn.Module):
    """The network of PyTorch's tutorial, on pictures of 32x32."""

    def __init__(self, channels, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(channels, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.max_pool2d(F.relu(self.conv1(x)), 2))), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def tv(name, **settings):
    def build(channels, classes):
        model = getattr(torchvision.models, name)(weights=None, num_classes=classes, **settings)
        # torchvision's networks see three channels; the first convolution is replaced by one that sees others.
        if channels != 3:
            place, first = next((n, m) for n, m in model.named_modules() if isinstance(m, nn.Conv2d))
            parent = model.get_submodule(place.rpartition(".")[0])
            other = nn.Conv2d(channels, first.out_channels, first.kernel_size, first.stride, first.padding, bias=first.bias is not None)
            setattr(parent, place.rpartition(".")[2], other)
        return model

    return build


def resnet10(channels, classes):
    model = torchvision.models.ResNet(torchvision.models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=classes)
    model.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return model


def unet(encoder):
    return lambda channels, classes: smp.Unet(encoder, encoder_weights=None, in_channels=channels, classes=classes)


NODROP = {"dropout": 0}
GOOGLENET = {"init_weights": False, "dropout": 0.0, "dropout_aux": 0.0}
# name: network here, its settings, the library's network, side, batch, classes of the table
NETWORKS = {
    "lenet5": ("lenet5", {}, LeNet, 32, 8, 1000),
    "alexnet": ("alexnet", NODROP, tv("alexnet"), 127, 4, 1000),
    "cnn-f": ("cnn-f", NODROP, lambda c, k: Chatfield("f", c, k), 224, 2, 1000),
    "cnn-m": ("cnn-m", NODROP, lambda c, k: Chatfield("m", c, k), 160, 2, 1000),
    "cnn-s": ("cnn-s", NODROP, lambda c, k: Chatfield("s", c, k), 128, 2, 1000),
    **{f"vgg{n}": (f"vgg{n}", NODROP, tv(f"vgg{n}"), 64, 2, 1000) for n in (11, 13, 16, 19)},
    **{f"vgg{n}_bn": (f"vgg{n}", NODROP | {"batchNorm": True}, tv(f"vgg{n}_bn"), 64, 4, 1000) for n in (11, 13, 16, 19)},
    "googlenet": ("googlenet", NODROP, tv("googlenet", aux_logits=False, **GOOGLENET), 63, 4, 1000),
    "googlenet_aux": ("googlenet", NODROP | {"auxiliary": True, "auxiliaryDropout": 0}, tv("googlenet", aux_logits=True, **GOOGLENET), 63, 4, 1000),
    "resnet10": ("resnet10", {}, resnet10, 65, 4, 1000),
    **{f"resnet{n}": (f"resnet{n}", {}, tv(f"resnet{n}"), 65, 4, 1000) for n in (18, 34, 50)},
    "densenet121": ("densenet121", {}, tv("densenet121"), 65, 4, 1000),
    "mobilenetv1_100": ("mobilenetv1_100", {}, lambda c, k: timm.create_model("mobilenetv1_100", in_chans=c, num_classes=k), 65, 4, 1000),
    "mobilenet_v2": ("mobilenet_v2", NODROP, tv("mobilenet_v2", dropout=0.0), 65, 4, 1000),
    **{f"unet-resnet{n}": ("unet", {"encoder": f"resnet{n}"}, unet(f"resnet{n}"), 64, 2, 1) for n in (18, 34, 50)},
}


class Kinks(TorchFunctionMode):
    """Watches rectifiers and maxima: how near, in root mean squares of their map, the nearest value is to the other branch."""

    def __init__(self):
        super().__init__()
        self.nearest = float("inf")

    def see(self, distance, x):
        if distance.numel():
            self.nearest = min(self.nearest, (distance.min() / x.pow(2).mean().sqrt()).item())

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, getattr(function, "__name__", "")
        if name in ("relu", "relu_"):
            self.see(args[0].detach().abs(), args[0].detach())
        elif name in ("hardtanh", "hardtanh_", "relu6"):
            x = args[0].detach()
            self.see(torch.minimum(x.abs(), (x - 6).abs()), x)
        elif name in ("max_pool2d", "_max_pool2d", "boolean_dispatch", "fn") and isinstance(args[0], torch.Tensor):
            x, kernel = args[0].detach(), args[1] if len(args) > 1 else kwargs["kernel_size"]
            stride = (args[2] if len(args) > 2 else kwargs.get("stride")) or kernel
            padding = args[3] if len(args) > 3 else kwargs.get("padding", 0)
            # Rounding up shows a last, overhanging window: pad generously on that side.
            wide = F.pad(x, (padding, padding + stride, padding, padding + stride), value=float("-inf"))
            top = wide.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4).topk(2, dim=4).values
            # Equal zeros are what a rectifier left, and other equal values are one pixel that an earlier maximum chose twice.
            gap = top[..., 0] - top[..., 1]
            self.see(gap[(gap > 0) & torch.isfinite(gap)], x)
        return function(*args, **kwargs)


def randomise(model, shift):
    """Undoes the special values of fresh normalisations, which would hide a swapped or forgotten array."""
    depthwise = any(isinstance(m, nn.Conv2d) and m.groups > 1 for m in model.modules())
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1)
            down = torch.bernoulli(torch.full_like(module.bias, 0.0 if depthwise else 0.3))
            module.bias.data = shift * module.weight.data * (1 - 2 * down) + 0.1 * torch.randn_like(module.bias)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.train()


def step(model, image, target):
    """Logits, loss, gradients and statistics as `psimagenet step` names them."""
    model.zero_grad()
    output, side = model(image), []
    if isinstance(output, tuple):  # torchvision's GoogLeNet: the deeper branch comes first
        output, side = output.logits, [output.aux_logits1, output.aux_logits2]
    loss = F.cross_entropy(output, target) + sum(0.3 * F.cross_entropy(x, target) for x in side)
    loss.backward()
    result = {"logits": output, "loss": loss} | {f"logits.auxiliary.{i + 1}": x for i, x in enumerate(side)}
    result |= {f"gradient.{k}": v.grad for k, v in model.named_parameters()}
    result |= {f"statistic.{k}": v for k, v in model.named_buffers() if not k.endswith("num_batches_tracked")}
    return {k: v.detach().double().clone() for k, v in result.items()}


def distances(found, exact):
    """By kind: the largest distance and where it is."""
    assert set(found) == set(exact), f"only one program has {sorted(set(found) ^ set(exact))[:8]}"
    worst = {"logits": (0.0, ""), "loss": (0.0, ""), "gradient": (0.0, ""), "statistic": (0.0, "")}
    for name, value in exact.items():
        assert found[name].shape == value.shape, (name, found[name].shape, value.shape)
        scale, weight = value.norm(), exact.get(name.removesuffix(".bias") + ".weight")
        if name.startswith("gradient.") and name.endswith(".bias") and weight is not None:
            scale = max(scale, weight.norm())
        difference = (found[name].double() - value).norm()
        distance = 0.0 if difference == 0 else (difference / scale).item()
        kind = name.split(".")[0]
        worst[kind] = max(worst[kind], (distance if distance == distance else float("inf"), name))
    return worst


def check(name, channels, options, scratch, seed):
    network, settings, build, side, batch, _ = NETWORKS[name]
    classes = 3 if network == "unet" else 10
    torch.manual_seed(seed)
    model = randomise(build(channels, classes), options.shift)
    exact_model = copy.deepcopy(model).double()
    image, kink = None, -1.0
    for _ in range(options.draws):
        drawn, watch = torch.randn(batch, channels, side, side), Kinks()
        with torch.no_grad(), watch:
            copy.deepcopy(exact_model)(drawn.double())
        if watch.nearest > kink:
            image, kink = drawn, watch.nearest
    target = torch.randint(classes, (batch, side, side) if network == "unet" else (batch,))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, scratch / "weights.safetensors")
    save_file({"image": image, "target": target}, scratch / "batch.safetensors")
    command = [options.program, "step", "--network", network, "--settings", json.dumps(settings | {"inputs": channels})]
    command += ["--classes", str(classes), "--precision", options.precision, "--quiet"]
    command += [x for f in ("weights", "batch") for x in (f"--{f}", str(scratch / f"{f}.safetensors"))]
    subprocess.run(command + ["--out", str(scratch / "result.safetensors")], check=True, stdout=subprocess.DEVNULL)
    exact = step(exact_model, image.double(), target)
    own = distances(load_file(scratch / "result.safetensors"), exact)
    theirs = distances(step(model, image, target), exact)
    passed = all(distance <= LIMIT for distance, _ in own.values())
    place = max((distance, where) for distance, where in own.values())[1]
    cells = [f"{own[kind][0]:.1e} ({theirs[kind][0]:.1e})" for kind in ("logits", "loss", "gradient", "statistic")]
    print(f"| {name} | {batch}x{channels}x{side}x{side} | {kink:.0e} | " + " | ".join(cells) + f" | {place} |" + ("" if passed else " beyond the limit"), flush=True)
    return passed


def table():
    """Names, shapes and counts with 3 channels, as lines of a Swift table."""
    for name, (network, settings, build, _, _, classes) in NETWORKS.items():
        with torch.device("meta"):
            model = build(3, classes)
        arrays = {k: tuple(v.shape) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
        text = "".join(f"{k} {','.join(map(str, s))}\n" for k, s in sorted(arrays.items()))
        count = sum(p.numel() for p in model.parameters())
        shown = {k: v for k, v in settings.items() if "ropout" not in k} | {"inputs": 3}
        print(f'  ("{network}", #"{json.dumps(shown)}"#, {classes}, {len(arrays)}, {count:_}, "{hashlib.sha256(text.encode()).hexdigest()[:16]}"),')


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--only", action="append", choices=NETWORKS, help="this network; may be given several times")
parser.add_argument("--channels", action="append", type=int, help="1 or 3; both where left out")
parser.add_argument("--program", default=".build/release/psimagenet")
parser.add_argument("--precision", default="float32")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--tries", type=int, default=3, help="with seeds from --seed on")
parser.add_argument("--shift", type=float, default=3, help="of normalisations, in their deviations")
parser.add_argument("--draws", type=int, default=12, help="draws of pictures to choose from")
parser.add_argument("--table", action="store_true")
options = parser.parse_args()
if options.table:
    table()
    sys.exit(0)
print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, segmentation_models_pytorch {smp.__version__}")
print(f"Distance of psimagenet ({options.precision}) from PyTorch in float64, and in brackets that of PyTorch in float32; limit {LIMIT}.\n")
print("| network | batch | kink | logits | loss | worst gradient | worst statistic | worst of all |\n|---|---|---|---|---|---|---|---|")
failed = []
with tempfile.TemporaryDirectory() as folder:
    for name in options.only or NETWORKS:
        for channels in options.channels or (1, 3):
            tries = range(options.seed, options.seed + options.tries)
            if not any(check(name, channels, options, pathlib.Path(folder), seed) for seed in tries):
                failed.append(f"{name} with {channels} channels")
print(f"\nbeyond {LIMIT}: " + ", ".join(failed) if failed else f"\nall within {LIMIT}")
sys.exit(1 if failed else 0)
