#!/usr/bin/env python3
"""Opt-in: lets the safetensors package read a file of ours, and writes one for us to read.

    pip install numpy safetensors
    PSIMAGENET_PEER_FOLDER=/some/folder swift test -c release --filter aFileIsExportedForSafetensors
    python3 Tests/Peers/check_safetensors.py /some/folder
    PSIMAGENET_PEER_FOLDER=/some/folder swift test -c release --filter aFileBySafetensorsIsRead
"""
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

folder = pathlib.Path(sys.argv[1])
ours = folder / "ours.safetensors"
found = load_file(ours)
expected = {
    "layer1.0.conv1.weight": (np.arange(24, dtype=np.float32) / 7).reshape(2, 3, 2, 2),
    "bn1.num_batches_tracked": np.array(1 << 40, dtype=np.int64),
    "empty": np.zeros((0, 3), dtype=np.float32),
    'a "quoted" \\ nämé\n\x01': np.array([1, 2, 3], dtype=np.uint8),
}
assert set(found) == set(expected), (sorted(found), sorted(expected))
for name, value in expected.items():
    assert found[name].dtype == value.dtype and found[name].shape == value.shape, name
    assert np.array_equal(found[name], value), name
with safe_open(ours, "np") as file:
    assert file.metadata() == {"format": "pt"}, file.metadata()
print(f"{ours.name}: {len(found)} tensors and the metadata are as written")
save_file(expected, folder / "theirs.safetensors", metadata={"format": "np", "note": "é\n"})
# Order of entries, spelling of the header and padding are those of the reference.
save_file(expected, folder / "again.safetensors", metadata={"format": "pt"})
assert (folder / "again.safetensors").read_bytes() == ours.read_bytes(), "the reference writes other bytes"
print("theirs.safetensors: written; the reference writes our file byte for byte")
