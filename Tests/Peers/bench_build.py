#!/usr/bin/env python3
"""CSPAD frames to a corpus, as a careful Python user would: h5py, numpy, Pillow; beside `psimagenet build`.

    python bench_build.py prepare FOLDER --calib RAW/calib --frames 600      # raw frames and the recipe
    python bench_build.py time FOLDER --program .build/release/psimagenet    # both, in turn
    python bench_build.py compare FOLDER                                     # pixel by pixel

`prepare` takes constants and geometry of run 1 from a calibration folder as `psimagenet simulate cspad --runs 1 --shots 1` writes it,
and draws frames: pedestal, common mode, read noise, and photons of a ring and of spots. Both programs read the same HDF5 files
(int16 [N,32,185,388], not compressed) and do the same: pedestal, common mode by the histogram of each panel, gain, bad pixels,
assembly, area average to 129x129, asinh, storage in chunks of one picture with shuffle and deflate 4. psimagenet also takes
the XXH3 checksum of every raw file, surveys all events first, and writes records and checksums.

What Python does well is done: constants, geometry and buffers once a process; frames read as they lie in the file
(`read_direct_chunk`); whole-frame numpy operations into buffers that are kept, indices of the width that numpy wants; one bincount for the
histograms of all panels, with a guard bin on either side instead of a selection; an index map for the assembly; weights of the area
average once, since the mask does not change; one process a core, each with its own files. `--resize gemm` averages areas exactly by two matrix
products, `--resize pillow` by Pillow's BOX, which counts a pixel for the one output pixel in which its middle lies; the faster one is the
peer, the exact one the judge of pixels. `--checksum` has Python
take a checksum of every raw file, too, by hashlib or by the module xxhash.
"""
import argparse, glob, hashlib, json, os, resource, shutil, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
import h5py
import numpy as np
import xxhash
from PIL import Image

SIDE, SCALE = 129, 1.0
SHAPE = (32, 185, 388)
# As psana-translate names it.
DATA = "Configure:0000/Run:0000/CalibCycle:0000/CsPad::ElementV2/CxiDs1.0:Cspad.0/data"


def constants(calib):
    def read(kind):
        [path] = glob.glob(f"{calib}/*/*/{kind}/1-*.data")
        return np.loadtxt(path, comments="#", dtype=np.float64).reshape(SHAPE)
    gain = read("pixel_gain")  # signal per ADU
    bad = (read("pixel_status") != 0) | ~np.isfinite(gain) | (gain == 0)
    rows = np.arange(0, 185, 10)
    bad[:, rows, rows] = bad[:, rows, rows + 194] = True
    status = read("pixel_status") != 0
    return read("pedestals").astype(np.float32), (1 / gain).astype(np.float32), ~status, ~bad


def canvas_index(calib):
    """Canvas pixel of every panel pixel, after PSCalib's GeometryAccess."""
    [path] = glob.glob(f"{calib}/*/*/geometry/1-*.data")
    nodes = [line.split() for line in open(path) if line.strip() and not line.startswith("#")]
    children = {}
    for f in nodes:
        children.setdefault((f[0], int(f[1])), []).append((int(f[3]), f[2], [float(v) for v in f[4:]]))
    names = {(f[2], int(f[3])) for f in nodes}
    [top] = [key for key in children if key not in names]
    p = 109.92
    half = 2 * p + np.arange(194) * p
    x0 = np.broadcast_to(np.concatenate([-half[::-1], half]), SHAPE[1:])
    y0 = np.broadcast_to(((92 - np.arange(185)) * p)[:, None], SHAPE[1:])
    panels = []

    def turn(a, b, degrees):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return a * c - b * s, b * c + a * s

    def walk(key, chain):
        for index, name, values in sorted(children.get(key, []), key=lambda n: (n[0], n[1])):
            inner = [values] + chain
            if (name, index) in children:
                walk((name, index), inner)
                continue
            x, y, z = x0, y0, np.zeros(SHAPE[1:])
            for (dx, dy, dz, rz, ry, rx, tz, ty, tx) in inner:
                x, y = turn(x, y, rz + tz)
                z, x = turn(z, x, ry + ty)
                y, z = turn(y, z, rx + tx)
                x, y, z = x + dx, y + dy, z + dz
            panels.append((x, y))
    walk(top, [])
    x, y = np.array([a for a, _ in panels]), np.array([b for _, b in panels])
    r = ((x - x.min() + p / 2) / p).astype(np.int64)
    c = ((y - y.min() + p / 2) / p).astype(np.int64)
    return (r * (c.max() + 1) + c).ravel(), (r.max() + 1, c.max() + 1)


def overlap(n, m):
    """Share of source pixel j in output pixel i, [m, n]."""
    a = np.arange(m)[:, None] * n, np.arange(n)[None, :] * m
    return np.clip(np.minimum(a[0] + n, a[1] + m) - np.maximum(a[0], a[1]), 0, None).astype(np.float32) / m


class Pipeline:
    def __init__(self, calib, resize):
        self.pedestal, self.gain, self.counted, self.good = constants(calib)
        self.resize = resize
        target, self.canvas = canvas_index(calib)
        height, width = self.canvas
        n = self.pedestal.size
        self.source = np.full(height * width, n, dtype=np.intp)  # n: the zero behind the last pixel
        usable = np.flatnonzero(self.good.ravel())
        self.source[target[usable][::-1]] = usable[::-1]
        # Canvas pixels that several good pixels reach are averaged.
        counts = np.bincount(target[usable], minlength=height * width)
        twice = np.flatnonzero(counts > 1)
        self.twice = twice
        order = usable[np.isin(target[usable], twice)]
        place = np.searchsorted(twice, target[order])
        self.shared = (order, place, counts[twice].astype(np.float32))
        self.rows, self.columns = overlap(height, SIDE), overlap(width, SIDE).T.copy()
        weight = (counts > 0).reshape(self.canvas).astype(np.float32)
        self.share = self.average(weight)
        self.weight = np.maximum(1, np.rint(self.share * 255)).astype(np.uint8) * (self.share > 0)
        self.inverse = np.divide(1, self.share, out=np.zeros_like(self.share), where=self.share > 0)
        # 3000 bins a panel and one on either side for what falls outside.
        self.offsets = (np.arange(32) * 3002 + 1001).reshape(32, 1, 1).astype(np.float32)
        self.signal = np.zeros(n + 1, np.float32)
        self.buffer, self.bins = np.empty(SHAPE, np.float32), np.empty(SHAPE, np.intp)
        # Pixels that do not count in the histogram fall below it; bad pixels, of which they are part, have the factor 0.
        self.pedestal = np.where(self.counted, self.pedestal, np.float32(1e30))
        self.gainfactor = np.where(self.good, 1 / self.gain, 0).astype(np.float32)

    def average(self, canvas):
        if self.resize == "gemm":
            return self.rows @ canvas @ self.columns / (canvas.shape[0] * canvas.shape[1] / SIDE / SIDE)
        return np.asarray(Image.fromarray(canvas, "F").resize((SIDE, SIDE), Image.BOX))

    def common_mode(self, x):
        np.floor(x, out=self.buffer)
        np.clip(self.buffer, -1001, 2000, out=self.buffer)
        np.add(self.buffer, self.offsets, out=self.bins, casting="unsafe")
        counts = np.bincount(self.bins.ravel(), minlength=32 * 3002).reshape(32, 3002)[:, 1:-1]
        most = np.maximum.accumulate(counts, axis=1)
        stop = (most > 100) & (2 * counts <= most)
        end = stop.argmax(axis=1)
        shift = np.zeros(32, np.float32)
        for p in range(32):
            if not stop[p, end[p]]:
                continue
            c = counts[p]
            peak = int((c[:end[p]] == most[p, end[p]]).argmax())
            left = right = peak
            while left > 0 and 2 * c[left] > c[peak]:
                left -= 1
            while right < 2999 and 2 * c[right] > c[peak]:
                right += 1
            mean, sigma = peak - 1000 + 0.5, max((right - left) / 2.355, 1)
            for _ in range(2):
                low = max(0, int(np.floor(mean - 2 * sigma + 1000)))
                high = min(2999, int(np.floor(mean + 2 * sigma + 1000)))
                part = c[low:high + 1].astype(np.float64)
                if low > high or part.sum() == 0:
                    mean, sigma = 0.0, 0.0
                    break
                at = np.arange(low, high + 1) - 1000 + 0.5
                mean = (part * at).sum() / part.sum()
                sigma = max(np.sqrt(max(0, (part * at * at).sum() / part.sum() - mean * mean)), 0.5)
            if abs(mean) <= 25 and sigma <= 25:
                shift[p] = mean
        return shift

    def picture(self, raw):
        x = np.subtract(raw, self.pedestal, out=self.signal[:-1].reshape(SHAPE))
        x -= self.common_mode(x)[:, None, None]
        x *= self.gainfactor
        canvas = self.signal.take(self.source)
        order, place, counts = self.shared
        canvas[self.twice] = np.bincount(place, self.signal[order], len(counts)) / counts
        small = self.average(canvas.reshape(self.canvas)) * self.inverse
        return np.arcsinh(small / SCALE, dtype=np.float32)


class Clock:
    """Seconds that pass, and those that the processes which ended meanwhile had of the processors: foreign load shows as a gap between them."""

    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), self.used()

    @staticmethod
    def used():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    def elapsed(self):
        return time.perf_counter() - self.wall, self.used() - self.cpu


def begin(calib, resize):
    global pipeline
    pipeline = Pipeline(calib, resize)


def make_shard(arguments):
    raw, out, checksum = arguments
    digest = None
    if checksum:
        with open(raw, "rb") as file:
            digest = hashlib.file_digest(file, hashlib.sha256 if checksum == "sha256" else xxhash.xxh3_128).hexdigest()
    with h5py.File(raw) as source, h5py.File(out, "w") as file:
        frames = source[DATA]
        n = frames.shape[0]
        if digest:
            file.attrs[checksum] = digest
        chunk = dict(chunks=(1, SIDE, SIDE), shuffle=True, compression="gzip", compression_opts=4)
        image = file.create_dataset("image", (n, SIDE, SIDE), "f4", **chunk)
        weight = file.create_dataset("weight", (n, SIDE, SIDE), "u1", **chunk)
        for i in range(n):
            mask, raw_bytes = frames.id.read_direct_chunk((i, 0, 0, 0))
            assert mask == 0 and frames.chunks == (1, *SHAPE) and frames.compression is None
            image[i] = pipeline.picture(np.frombuffer(raw_bytes, np.int16).reshape(SHAPE))
            weight[i] = pipeline.weight
    return n


def python_run(folder, calib, resize, processes, checksum):
    out = f"{folder}/python"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    jobs = [(raw, f"{out}/{os.path.basename(raw)}", checksum) for raw in sorted(glob.glob(f"{folder}/raw/*.h5"))]
    began = Clock()
    with ProcessPoolExecutor(processes, initializer=begin, initargs=(calib, resize)) as pool:
        frames = sum(pool.map(make_shard, jobs))
    return frames, began.elapsed()


def swift_run(folder, program):
    shutil.rmtree(f"{folder}/corpus", ignore_errors=True)
    began = Clock()
    subprocess.run([program, "build", f"{folder}/recipe.yaml", "--out", f"{folder}/corpus", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return began.elapsed()


RECIPE = """name: bench
seed: 1
image: {{height: 129, width: 129}}
tone: {{map: asinh, scale: 1}}
split: {{train: 1, validation: 0, test: 0}}
sources:
  - name: cspad
    files: ["raw/*.h5"]
    dataset: {data}
    detector: cspad
    calibration: {calib}
    commonMode: histogram
    geometry: calibration
    view: assembled
    fit: stretch
    experiment: bench
"""


def prepare(folder, calib, frames):
    os.makedirs(f"{folder}/raw", exist_ok=True)
    [source] = glob.glob(f"{calib}/*/*/pedestals")
    shutil.rmtree(f"{folder}/calib", ignore_errors=True)
    shutil.copytree(os.path.dirname(source), f"{folder}/calib/CsPad::CalibV1/CxiDs1.0:Cspad.0")
    open(f"{folder}/recipe.yaml", "w").write(RECIPE.format(calib="calib", data="/" + DATA))
    pedestal, gain, _, good = constants(f"{folder}/calib")
    target, (height, width) = canvas_index(f"{folder}/calib")
    random = np.random.default_rng(7)
    y, x = np.divmod(target, width)
    radius = np.hypot(y - height / 2, x - width / 2).reshape(SHAPE)
    ring = (0.15 * np.exp(-((radius - 420) / 90) ** 2) + 0.02).astype(np.float32)
    pool = [random.poisson(ring * s).astype(np.float32) for s in (0.5, 1, 2, 4)]
    noise = [random.normal(0, 3.4, SHAPE).astype(np.float32) for _ in range(4)]
    files, done = 8, 0
    for number in range(files):
        count = frames * (number + 1) // files - frames * number // files
        with h5py.File(f"{folder}/raw/{number:02d}.h5", "w") as file:
            # By which the constants are found.
            file["run"] = np.ones(count, np.int32)
            data = file.create_dataset(DATA, (count, *SHAPE), "i2", chunks=(1, *SHAPE))
            for i in range(count):
                shift = random.normal(0, 6, (32, 1, 1))
                photons = np.roll(pool[random.integers(4)], random.integers(388), axis=2)
                frame = pedestal + gain * photons + np.roll(noise[random.integers(4)], random.integers(388), axis=2) + shift
                for _ in range(random.integers(60)):
                    p, r, c = random.integers(32), random.integers(183), random.integers(386)
                    frame[p, r:r + 2, c:c + 2] += gain[p, r:r + 2, c:c + 2] * random.exponential(60)
                data[i] = np.clip(np.rint(frame), 0, 16383)
        done += count
    print(f"{done} frames in {files} files")


def compare(folder):
    worst, count, differ = 0.0, 0, 0
    pictures = {}
    for raw in sorted(glob.glob(f"{folder}/python/*.h5")):
        with h5py.File(raw) as f:
            pictures[os.path.basename(raw)] = f["image"][:], f["weight"][:]
    for shard in sorted(glob.glob(f"{folder}/corpus/shards/*.h5")):
        with h5py.File(shard) as f:
            names, rows = f["record/file"].asstr()[:], f["record/event_index"][:]
            for name, row, image, weight in zip(names, rows, f["image"], f["weight"]):
                theirs, theirweight = (a[row] for a in pictures[os.path.basename(name)])
                worst = max(worst, float(np.abs(image - theirs).max()))
                differ += int((np.abs(weight.astype(int) - theirweight.astype(int)) > 1).sum())
                count += 1
    print(json.dumps({"pictures": count, "largest difference": worst, "weights that differ by more than 1": differ}))
    return 0 if worst < 1e-3 and differ == 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["prepare", "time", "compare"])
    parser.add_argument("folder")
    parser.add_argument("--calib")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--program", default=".build/release/psimagenet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--checksum", nargs="*", choices=["xxh128", "sha256"], default=[], help="Python with checksums of the raw files, too")
    parser.add_argument("--resize", choices=["gemm", "pillow", "both"], default="both")
    a = parser.parse_args()
    if a.what == "prepare":
        prepare(a.folder, a.calib, a.frames)
    elif a.what == "compare":
        sys.exit(compare(a.folder))
    else:
        calib = f"{a.folder}/calib"
        samples = {}
        variants = [(resize, checksum) for resize in (["pillow", "gemm"] if a.resize == "both" else [a.resize])
                    for checksum in [None, *a.checksum]]

        def note(name, frames, times):
            samples.setdefault(name, []).append((frames / times[0], 1e3 * times[1] / frames))
        for _ in range(a.rounds):
            for resize, checksum in variants:
                frames, times = python_run(a.folder, calib, resize, a.processes, checksum)
                note(f"python, {resize}" + (f", {checksum}" if checksum else ""), frames, times)
                # In turn: ours beside each of theirs.
                note("psimagenet", frames, swift_run(a.folder, a.program))
            print({name: f"{v[-1][0]:.1f} frames/s, {v[-1][1]:.1f} ms of a core" for name, v in samples.items()}, flush=True)
        rate = {name: float(np.median([r for r, _ in v])) for name, v in samples.items()}
        cost = {name: float(np.median([c for _, c in v])) for name, v in samples.items()}
        own = "psimagenet"
        print(json.dumps({
            "frames": frames, "frames/s": {name: [round(r, 1) for r, _ in v] for name, v in samples.items()},
            "ms of a core a frame": {name: [round(c, 2) for _, c in v] for name, v in samples.items()},
            "median frames/s": {name: round(r, 1) for name, r in rate.items()},
            "median ms": {name: round(c, 2) for name, c in cost.items()},
            "times as many frames/s": {name: round(rate[own] / r, 2) for name, r in rate.items() if name != own},
            "times less of a core": {name: round(c / cost[own], 2) for name, c in cost.items() if name != own}}))


if __name__ == "__main__":
    main()
