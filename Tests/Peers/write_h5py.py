#!/usr/bin/env python3
"""Opt-in: HDF5 files as h5py writes them, for PSImageNet's row reader to read.

    python write_h5py.py FOLDER
    PSIMAGENET_H5PY=FOLDER swift test -c release --filter HDF5RowReaderTests

Each file holds `/data` in one layout and `/plain` with the same numbers in one piece. The attribute `direct` of `/data` says whether the
chunks are ones that PSImageNet decodes itself (1) or leaves to libhdf5 (0).
"""
import pathlib
import sys

import h5py
import numpy as np


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    numbers = {
        "u2": random.poisson(3, (23, 17, 29)).astype("<u2"),
        "f4": random.normal(size=(23, 17, 29)).astype("<f4"),
    }
    layouts = {
        "none": (dict(chunks=(1, 17, 29)), 1),
        "gzip": (dict(chunks=(1, 17, 29), compression="gzip"), 1),
        "shuffle": (dict(chunks=(4, 17, 29), shuffle=True), 1),
        "both": (dict(chunks=(5, 6, 7), shuffle=True, compression="gzip", compression_opts=9), 1),
        "growing": (dict(chunks=(3, 17, 10), shuffle=True, compression="gzip", maxshape=(None, None, 29)), 1),
        "guessed": (dict(chunks=True, compression="gzip"), 1),
        "contiguous": (dict(), 0),
        "fletcher32": (dict(chunks=(1, 17, 29), compression="gzip", fletcher32=True), 0),
        "big-endian": (dict(chunks=(1, 17, 29), compression="gzip"), 0),
        "user-block": (dict(chunks=(1, 17, 29), compression="gzip"), 0),
    }
    for kind, values in numbers.items():
        for name, (layout, direct) in layouts.items():
            for version in ("earliest", "v110"):
                block = 512 if name == "user-block" else 0
                path = folder / f"{kind}-{name}-{version}.h5"
                with h5py.File(path, "w", libver=(version, "v110"), userblock_size=block) as file:
                    stored = values.astype(values.dtype.newbyteorder(">")) if name == "big-endian" else values
                    file.create_dataset("data", data=stored, **layout).attrs["direct"] = direct
                    file.create_dataset("plain", data=values)
    print(f"{len(list(folder.glob('*.h5')))} files in {folder}")


main()
