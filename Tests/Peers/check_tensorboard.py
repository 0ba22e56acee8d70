#!/usr/bin/env python3
"""TensorBoard reads the event files of a run, and what it finds is compared with metrics.jsonl.

    pip install tensorboard
    python check_tensorboard.py RUN

Exits with 1 if a figure is missing, differs or is too many.
"""
import json, os, struct, sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
accumulator = EventAccumulator(run, size_guidance={"scalars": 0})
accumulator.Reload()
found = {(tag, event.step): event.value for tag in accumulator.Tags()["scalars"] for event in accumulator.Scalars(tag)}
expected = {}
for line in open(os.path.join(run, "metrics.jsonl")):
    metric = json.loads(line)
    split, step = metric["split"], metric["step"]
    expected[f"{split}/loss", step] = metric["loss"]
    expected[f"{split}/accuracy", step] = metric["accuracy"]
    expected[f"{split}/images per second", step] = metric["imagesPerSecond"]
    if split == "train":
        expected["learning rate", step] = metric["learningRate"]
wrong = [key for key in expected if key not in found or found[key] != struct.unpack("f", struct.pack("f", expected[key]))[0]]
extra = sorted(set(found) - set(expected))
print(f"{len(expected)} figures expected, {len(wrong)} missing or different, {len(extra)} too many: {(wrong + extra)[:5]}")
sys.exit(1 if wrong or extra else 0)
