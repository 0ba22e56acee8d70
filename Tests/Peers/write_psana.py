"""Writes what psana makes of common mode and of geometries, for the tests to compare with.

    python write_psana.py FOLDER
    PSIMAGENET_PSANA=FOLDER swift test -c release --filter PsanaPeerTests

Needs psana (the LCLS-II one, pip package `psana` 4.3.4). FOLDER gets, for each case of common mode, the frame before, the mask and
the frame after as .npy; and for each of psana's default geometries its text and the pixel coordinates `[3, pixels]` in micrometres.
"""

import json
import os
import shutil
import sys
import types

# psana wants Kerberos for its database, which is not used here.
kerberos = types.ModuleType("kerberos")
kerberos.GSSError = Exception
sys.modules.setdefault("kerberos", kerberos)

import numpy as np  # noqa: E402
import psana  # noqa: E402
from psana.detector import UtilsCommonMode as common_mode  # noqa: E402
from psana.pscalib.geometry.GeometryAccess import GeometryAccess  # noqa: E402


def pnccd(frame, mask, mode, largest):
    """psana's algorithm 8 (lcls-psana Detector/src/UtilsPNCCD.py) by psana's own functions."""
    for segment, good in zip(frame, mask):
        if mode & 1:
            common_mode.common_mode_rows_hsplit_nbanks(segment, good, 4, largest)
        if mode & 2:
            common_mode.common_mode_rows(segment, good, largest)
        if mode & 4:
            common_mode.common_mode_cols(segment, good, largest)
        if mode & 8:
            common_mode.common_mode_2d_hsplit_nbanks(segment, good, 4, largest)


def cases():
    for shape, banks in (((2, 704, 768), (2, 8)), ((2, 352, 384), (2, 8)), ((1, 512, 1024), (2, 16))):
        for mode in (1, 2, 4, 7):
            for largest in (100, 6):
                yield shape, [0, mode, largest, 10], banks
    for mode in (1, 2, 4, 8, 5):
        yield (4, 512, 512), [8, mode, 500], None


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    random = np.random.default_rng(3)
    index = []
    for number, (shape, parameters, banks) in enumerate(cases()):
        frame = random.normal(0, 3, shape) + random.normal(0, 4, (shape[0], shape[1], 1)) + random.normal(0, 4, (shape[0], 1, shape[2]))
        rows, columns = banks or (1, 4)
        frame += np.kron(random.normal(0, 4, (shape[0], rows, columns)), np.ones((1, shape[1] // rows, shape[2] // columns)))
        frame[random.uniform(size=shape) < 0.03] += 200
        frame = frame.astype(np.float32)
        mask = (random.uniform(size=shape) > 0.05).astype(np.uint8)
        mask[:, :3, :] = 0
        after = frame.copy()
        if banks:
            common_mode.common_mode_apply(after, mask, cmpars=tuple(parameters), nbanks_rows_cols=banks)
        else:
            pnccd(after, mask, parameters[1], parameters[2])
        for name, array in (("before", frame), ("mask", mask), ("after", after)):
            np.save(f"{folder}/common-{number}-{name}.npy", array)
        index.append({"number": number, "parameters": [float(p) for p in parameters], "shape": list(shape)})
    geometries = []
    source = os.path.join(os.path.dirname(psana.__file__), "pscalib", "geometry", "data")
    for name in ("cspad", "cspad2x2", "jungfrau4M", "epix10kaquad", "epixhr2x2", "pnccd"):
        path = os.path.join(source, f"geometry-def-{name}.data")
        if not os.path.exists(path):
            print("psana has no", name)
            continue
        shutil.copy(path, f"{folder}/{name}.data")
        x, y, z = GeometryAccess(path).get_pixel_coords()
        if x.shape == (185, 388, 2):  # segments last, as the raw data of the 2x2 have them
            x, y, z = (np.moveaxis(a, -1, 0) for a in (x, y, z))
        np.save(f"{folder}/{name}.npy", np.stack([np.ravel(x), np.ravel(y), np.ravel(z)]).astype(np.float64))
        geometries.append(name)
    with open(f"{folder}/index.json", "w") as file:
        json.dump({"commonMode": index, "geometries": geometries}, file)
    print(f"{len(index)} cases of common mode, {len(geometries)} geometries: {', '.join(geometries)}")


main()
