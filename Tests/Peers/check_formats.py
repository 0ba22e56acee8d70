#!/usr/bin/env python3
"""Opt-in: picture and HDF5 files that other programs write, read by `psimagenet inspect --arrays` and compared pixel by pixel.

    python Tests/Peers/check_formats.py --program .build/release/psimagenet [--only tiff]

Needs numpy, scipy, h5py, hdf5plugin, tifffile, imagecodecs, fabio, pycbf. Exits with 1 where anything differs. A file that has to be
refused counts as agreeing where the program says so with exit code 65 and names what the script expects.
"""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import fabio
import h5py
import hdf5plugin
import numpy as np
import pycbf
import scipy.io
import tifffile

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4"]
REALS = ["f4", "f8"]


def pixels(kind, shape, seed=1):
    """Noise over the whole range of the type, with long runs, so that every compression has something to do."""
    random = np.random.default_rng(seed)
    if kind[0] == "f":
        image = random.normal(size=shape) * 1000
    else:
        info = np.iinfo(kind)
        image = random.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
    image = np.asarray(image, dtype=kind)
    image[..., : shape[-1] // 2] = 7
    return image


def tiff(folder):
    codecs = [None, "lzw", "deflate", "packbits", "zstd", "lzma"]
    for kind in INTEGERS + REALS + ["u8", "i8", "f2"]:
        for codec in codecs if kind in ("u2", "f4") else [None, "deflate"]:
            for layout in ({}, {"tile": (16, 32)}, {"rowsperstrip": 7}, {"byteorder": ">"}, {"bigtiff": True}):
                stack = pixels(kind, (3, 45, 67))
                path = folder / f"{kind}-{codec}-{'-'.join(map(str, layout)) or 'plain'}.tif"
                tifffile.imwrite(path, stack, compression=codec, photometric="minisblack", metadata=None, **layout)
                yield path, [np.asarray(page, "f4") if kind == "f2" else page for page in stack]
    for kind in ("u2", "i4", "f4"):
        path = folder / f"{kind}-predictor.tif"
        image = pixels(kind, (45, 67))
        tifffile.imwrite(path, image, compression="deflate", predictor=True, metadata=None)
        yield path, [image]
    path = folder / "grey-rgb.tif"
    grey = pixels("u1", (20, 30))
    tifffile.imwrite(path, np.stack([grey] * 3, -1), photometric="rgb")
    yield path, [grey]
    path = folder / "colour.tif"
    tifffile.imwrite(path, pixels("u1", (20, 30, 3)), photometric="rgb")
    yield path, "one in colour"
    path = folder / "complex.tif"
    tifffile.imwrite(path, np.zeros((5, 6), "c8"))
    yield path, "64 bits, complex"


def edf(folder):
    for kind in INTEGERS + REALS + ["u8", "i8"]:
        path = folder / f"{kind}.edf"
        image = pixels(kind, (33, 47))
        fabio.edfimage.EdfImage(data=image, header={"SampleDistance": "1.5", "Title": "test"}).write(path)
        yield path, [image]
    path = folder / "frames.edf"
    stack = pixels("u2", (4, 33, 47))
    image = fabio.edfimage.EdfImage(data=stack[0])
    for frame in stack[1:]:
        image.append_frame(data=frame)
    image.write(path)
    yield path, list(stack)


def cbf(folder):
    for kind in ("i4", "i2", "i1", "u2"):
        path = folder / f"{kind}.cbf"
        image = pixels(kind, (33, 47))
        fabio.cbfimage.CbfImage(data=image).write(path)
        # fabio writes what it is given as 32-bit integers where it has no other type.
        yield path, [fabio.open(path).data]
    yield from imgcif(folder)


def imgcif(folder):
    """CBFlib itself, through pycbf: one section of each type, and the 64 sections of a CSPAD."""
    for kind, size, signed, real in [("i4", 4, 1, 0), ("u4", 4, 0, 0), ("i2", 2, 1, 0), ("u2", 2, 0, 0)]:
        path = folder / f"cbflib-{kind}.cbf"
        image = pixels(kind, (33, 47))
        write_cbf(path, [image], size, signed, pycbf.CBF_BYTE_OFFSET)
        yield path, [image]
    path = folder / "cbflib-cspad.cbf"
    asics = pixels("i4", (64, 185, 194))
    write_cbf(path, list(asics), 4, 1, pycbf.CBF_BYTE_OFFSET)
    yield path, [asics]
    path = folder / "cbflib-packed.cbf"
    write_cbf(path, [pixels("i4", (33, 47))], 4, 1, pycbf.CBF_PACKED)
    yield path, "x-CBF_PACKED"


def write_cbf(path, images, size, signed, compression):
    cbf = pycbf.cbf_handle_struct()
    cbf.new_datablock(b"shot")
    cbf.new_category(b"array_data")
    for column in (b"array_id", b"binary_id", b"data"):
        cbf.new_column(column)
    for number, image in enumerate(images):
        cbf.find_column(b"array_id")
        cbf.new_row()
        cbf.set_value(f"ARRAY_{number}".encode())
        cbf.find_column(b"binary_id")
        cbf.set_integervalue(number + 1)
        cbf.find_column(b"data")
        data = np.ascontiguousarray(image).tobytes()
        cbf.set_integerarray_wdims_fs(
            compression, number + 1, data, size, signed, image.size, b"little_endian", image.shape[1], image.shape[0], 1, 0)
    cbf.write_widefile(str(path).encode(), pycbf.CBF, pycbf.MIME_HEADERS | pycbf.MSG_DIGEST | pycbf.PAD_4K, 0)


def smv(folder):
    for kind in ("u2", "u4", "f4"):
        path = folder / f"{kind}.img"
        image = pixels(kind, (33, 47))
        header = {"DISTANCE": "100.0", "WAVELENGTH": "0.979"}
        if kind != "u2":
            header["TYPE"] = {"u4": "unsigned_long", "f4": "float"}[kind]
        fabio.adscimage.AdscImage(data=image, header=header).write(path)
        yield path, [np.ascontiguousarray(fabio.open(path).data)]


def matlab(folder):
    for kind in INTEGERS + REALS + ["u8", "i8"]:
        for packed in (False, True):
            path = folder / f"{kind}-{packed}.mat"
            image = pixels(kind, (33, 47))
            scipy.io.savemat(path, {"data": {"img": image, "name": "YAG01", "ts": 737499.5, "roiX": 3}}, do_compression=packed)
            yield path, [image]
    path = folder / "list.mat"
    stack = pixels("u2", (3, 33, 47))
    array = np.empty((1, 3), dtype=[("img", "O"), ("pulseId", "O")])
    for number, image in enumerate(stack):
        array[0, number] = (image, float(number))
    scipy.io.savemat(path, {"dataList": array})
    yield path, list(stack)
    path = folder / "film.mat"
    film = pixels("u2", (4, 33, 47))
    scipy.io.savemat(path, {"film": np.moveaxis(film, 0, -1)})
    yield path, list(film)


def hdf5(folder):
    filters = {
        "none": {}, "gzip": {"compression": "gzip"}, "shuffle": {"compression": "gzip", "shuffle": True}, "lzf": {"compression": "lzf"},
        "lzf-shuffle": {"compression": "lzf", "shuffle": True}, "szip": {"compression": "szip"}, "fletcher": {"fletcher32": True},
        "bitshuffle": hdf5plugin.Bitshuffle(cname="none"), "bitshuffle-lz4": hdf5plugin.Bitshuffle(cname="lz4"),
        "bitshuffle-256": hdf5plugin.Bitshuffle(nelems=256, cname="lz4"), "lz4": hdf5plugin.LZ4(),
    }
    for kind in INTEGERS + REALS + ["u8"]:
        for name, options in filters.items():
            for chunk in ((1, 45, 67), (3, 20, 16)):
                path = folder / f"{kind}-{name}-{chunk[0]}.h5"
                stack = pixels(kind, (7, 45, 67))
                with h5py.File(path, "w", libver=("earliest", "v110")) as file:
                    file.create_dataset("/entry/data/data", data=stack, chunks=chunk, **options)
                yield path, list(stack)
    for name, options, word in [
        ("zstd", hdf5plugin.Zstd(), "32015 (Zstandard)"), ("blosc", hdf5plugin.Blosc(), "32001 (Blosc)"),
        ("bitshuffle-zstd", hdf5plugin.Bitshuffle(cname="zstd"), "bitshuffle with Zstandard"), ("blosc2", hdf5plugin.Blosc2(), "Blosc2"),
    ]:
        path = folder / f"{name}.h5"
        with h5py.File(path, "w", libver=("earliest", "v110")) as file:
            file.create_dataset("/data/data", data=pixels("u2", (2, 64, 64)), chunks=(1, 64, 64), **options)
        yield path, word
    yield from links(folder)


def links(folder):
    """Virtual, external and soft links; sources packed by bitshuffle."""
    stack = pixels("u2", (6, 45, 67))
    layout = h5py.VirtualLayout(stack.shape, "u2")
    for number in range(3):
        with h5py.File(folder / f"part{number}.h5", "w", libver=("earliest", "v110")) as file:
            file.create_dataset("x", data=stack[2 * number : 2 * number + 2], chunks=(1, 45, 67), **hdf5plugin.Bitshuffle(cname="lz4"))
        layout[2 * number : 2 * number + 2] = h5py.VirtualSource(f"part{number}.h5", "x", shape=(2, 45, 67))
    path = folder / "virtual.h5"
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.create_virtual_dataset("/jungfrau/calib", layout)
        file["timestamp"] = np.arange(6, dtype="u8") << 32
    yield path, list(stack)
    path = folder / "master.h5"
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for number in range(3):
            file[f"/entry/data/data_{number + 1:06d}"] = h5py.ExternalLink(f"part{number}.h5", "/x")
    yield path, list(stack)
    path = folder / "soft.cxi"
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file["/entry_1/instrument_1/detector_1/data"] = stack
        file["/entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
        file["/LCLS/machineTime"] = np.arange(6)
    yield path, list(stack)


def outcome(program, path, expected):
    """An empty text where the program agrees with the other one."""
    run = subprocess.run([program, "inspect", path, "--arrays", "--json", "--quiet"], capture_output=True, text=True)
    if isinstance(expected, str):
        said = run.stdout + run.stderr
        return "" if run.returncode == 65 and expected in said else f"exit code {run.returncode}, {said[-300:]!r} without {expected!r}"
    if run.returncode:
        return f"exit code {run.returncode}: {run.stderr.strip()}"
    arrays = json.loads(run.stdout)["arrays"]
    if len(arrays) != len(expected):
        return f"{len(arrays)} pictures for {len(expected)}"
    for number, (array, image) in enumerate(zip(arrays, expected)):
        image = np.ascontiguousarray(image, dtype=np.asarray(image).dtype.newbyteorder("<"))
        name = {"u": "uint", "i": "int", "f": "float"}[image.dtype.kind] + str(8 * image.dtype.itemsize)
        if array["shape"] != list(image.shape) or array["element"] != name:
            return f"picture {number}: {array['element']} {array['shape']} for {name} {list(image.shape)}"
        if array["sha256"] != hashlib.sha256(image.tobytes()).hexdigest():
            return f"picture {number}: other pixels"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    failures = 0
    for write in (tiff, edf, cbf, smv, matlab, hdf5):
        if options.only not in (None, write.__name__):
            continue
        with tempfile.TemporaryDirectory() as name:
            files = pictures = refused = 0
            for path, expected in write(pathlib.Path(name)):
                problem = outcome(options.program, str(path), expected)
                files += 1
                refused += isinstance(expected, str)
                pictures += 0 if isinstance(expected, str) else len(expected)
                if problem:
                    failures += 1
                    print(f"{write.__name__}: {path.name}: {problem}")
            print(f"{write.__name__}: {files} files, {pictures} pictures compared, {refused} files that have to be refused")
    for module in (tifffile, fabio, scipy, h5py, hdf5plugin):
        print(module.__name__, getattr(module, "__version__", None) or module.version)
    print("h5py with HDF5", h5py.version.hdf5_version)
    print(f"{failures} disagree")
    sys.exit(1 if failures else 0)


main()
