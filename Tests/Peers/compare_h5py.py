"""Compares the images of an HDF5 file as psimagenet reads them with the same rows as h5py reads them.

    psimagenet inspect FILE.h5 --arrays --json > file.json
    python compare_h5py.py FILE.h5 file.json

Also lists every dataset and attribute as h5py sees it, so that a file that psimagenet wrote can be judged by another program.
Needs h5py. Exits with 1 where anything differs.
"""

import hashlib
import json
import sys

import h5py
import numpy as np


def main():
    path, inspection = sys.argv[1:]
    with open(inspection) as file:
        arrays = json.load(file)["arrays"]
    differing = 0
    with h5py.File(path) as file:
        file.visititems(lambda name, item: print(name, item, dict(item.attrs)))
        print("/", dict(file.attrs))
        for array in arrays:
            data = file[array["source"]]
            stored = data[array["event"]] if data.ndim > len(array["shape"]) else data[...]
            stored = np.ascontiguousarray(stored).astype(np.dtype(array["element"]).newbyteorder("<"))
            same = list(stored.shape) == array["shape"] and hashlib.sha256(stored.tobytes()).hexdigest() == array["sha256"]
            differing += not same
    print(f"{path}: {len(arrays)} images, {differing} differ")
    sys.exit(1 if differing or not arrays else 0)


main()
