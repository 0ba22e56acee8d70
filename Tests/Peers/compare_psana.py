"""Compares every array of XTC2 files as psimagenet reads it with the same array as psana reads it.

    psimagenet inspect RUN.xtc2 --arrays --json > run.json
    python compare_psana.py RUN.xtc2 run.json

Needs psana (the LCLS-II one, pip package `psana`); Docs/Formats.md says how to install it. Segments of one detector are stacked
here as psimagenet stacks them, and compared by SHA-256 of the little-endian bytes. Exits with 1 where anything differs.
"""

import hashlib
import json
import os
import sys

import numpy as np

os.environ.setdefault("PS_PARALLEL", "none")
from psana.dgram import Dgram  # noqa: E402

L1_ACCEPT = 12


def psana_arrays(path):
    """Yields (event, source, element, shape, SHA-256) in file order."""
    descriptor = os.open(path, os.O_RDONLY)
    configuration = Dgram(file_descriptor=descriptor)
    event = 0
    while True:
        try:
            datagram = Dgram(config=configuration)
        except StopIteration:
            return
        if datagram.service() != L1_ACCEPT:
            continue
        fields = {}
        for detector, segments in vars(datagram).items():
            if detector.startswith("_") or not isinstance(segments, dict):
                continue
            for segment, algorithms in sorted(segments.items()):
                for algorithm, values in vars(algorithms).items():
                    for field, value in vars(values).items():
                        if isinstance(value, np.ndarray):
                            fields.setdefault(f"{detector}/{algorithm}/{field}", []).append(value)
        for source, arrays in fields.items():
            array = np.ascontiguousarray(arrays[0] if len(arrays) == 1 else np.stack(arrays))
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            yield event, source, array.dtype.name, list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()
        event += 1


def main():
    run, inspection = sys.argv[1:]
    with open(inspection) as file:
        found = json.load(file)
    ours = sorted((a["event"], a["source"], a["element"], a["shape"], a["sha256"]) for a in found["arrays"])
    theirs = sorted(psana_arrays(run))
    differing = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    for mine, other in differing[:10]:
        print("psimagenet", mine, "\npsana     ", other)
    print(f"{run}: {len(ours)} arrays by psimagenet, {len(theirs)} by psana, {len(differing)} differ")
    sys.exit(1 if differing or len(ours) != len(theirs) else 0)


main()
