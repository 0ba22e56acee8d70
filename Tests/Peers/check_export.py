#!/usr/bin/env python3
"""Other software reads what `psimagenet export` wrote, and compares it with the corpus, read by h5py.

    pip install webdataset datasets mlcroissant h5py numpy pillow
    python check_export.py CORPUS --webdataset FOLDER --imagefolder FOLDER --nexus FOLDER

Prints a line a check and exits with 1 if one fails. `sha256sum -c` is run in each folder.
"""
import argparse, csv, glob, os, re, subprocess, sys, tempfile

import h5py
import numpy as np

failed = []


def check(name, good, detail=""):
    print(f"{'ok  ' if good else 'FAIL'} {name}{': ' + str(detail) if detail != '' else ''}", flush=True)
    if not good:
        failed.append(name)


def corpus_pictures(folder):
    found = {}
    for path in sorted(glob.glob(f"{folder}/shards/*.h5")):
        with h5py.File(path) as f:
            labels = {name: f["record/label"][name].asstr()[:] for name in f["record/label"]} if "label" in f["record"] else {}
            for i, key in enumerate(f["record/id"].asstr()[:]):
                found[key] = f["image"][i], f["weight"][i], {n: v[i] for n, v in labels.items()}, os.path.basename(path).split("-")[0]
    return found


def common(folder):
    done = subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    listed = {line[66:].rstrip("\n") for line in open(f"{folder}/SHA256SUMS")}
    there = {os.path.relpath(os.path.join(d, n), folder) for d, _, names in os.walk(folder) for n in names} - {"SHA256SUMS"}
    check(f"{folder}: sha256sum -c", done.returncode == 0 and listed == there, done.stderr.strip())
    run = subprocess.run([os.path.join(os.path.dirname(sys.executable), "mlcroissant"), "validate", "--jsonld", "croissant.json"], cwd=folder, capture_output=True, text=True)
    said = (run.stdout + run.stderr).strip()
    check(f"{folder}: mlcroissant validate", run.returncode == 0 and "warning" not in said.lower() and "Done" in said, said.splitlines()[-1] if said else "")
    if run.returncode or "warning" in said.lower():
        print(said)
    import mlcroissant
    rows = list(mlcroissant.Dataset(jsonld=f"{folder}/croissant.json").records("records"))
    table = list(csv.DictReader(open(f"{folder}/records.csv")))
    check(f"{folder}: mlcroissant records", len(rows) == len(table) and {r["records/id"].decode() for r in rows} == {r["id"] for r in table}, len(rows))
    return table


def webdataset_check(folder, pictures):
    table = common(folder)
    import webdataset
    seen = set()
    good = True
    for path in sorted(glob.glob(f"{folder}/data/*.tar")):
        for sample in webdataset.WebDataset(path, shardshuffle=False).decode():
            image, weight, labels, split = pictures[sample["__key__"]]
            seen.add(sample["__key__"])
            good &= np.array_equal(sample["npy"], image) and sample["npy"].dtype == np.float32 and np.array_equal(sample["weight.npy"], weight)
            good &= sample["json"]["split"] == split and {k: v for k, v in sample["json"]["labels"].items() if v} == {k: v for k, v in labels.items() if v}
    check("webdataset: every sample's pixels, weights and labels are the corpus's", good and seen == {r["id"] for r in table}, len(seen))
    import datasets
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(folder, cache_dir=cache)
        counts = {split: len(d) for split, d in loaded.items()}
        wanted = {s: sum(r["split"] == s for r in table) for s in {r["split"] for r in table}}
        check("datasets: load_dataset(folder) by its card", counts == wanted, counts)
        first = next(iter(loaded.values()))[0]
        check("datasets: pixels", np.array_equal(np.asarray(first["npy"], np.float32), pictures[first["__key__"]][0]), list(first))
        streamed = next(iter(datasets.load_dataset(folder, split=next(iter(loaded)), streaming=True, cache_dir=cache)))
        check("datasets: streaming", streamed["__key__"] == first["__key__"])


def imagefolder_check(folder, pictures):
    table = common(folder)
    import datasets
    from PIL import Image
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset(folder, cache_dir=cache)
        counts = {split: len(d) for split, d in loaded.items()}
        wanted = {s: sum(r["split"] == s for r in table) for s in {r["split"] for r in table}}
        check("datasets: load_dataset(folder) by its card", counts == wanted, counts)
        row = next(iter(loaded.values()))[0]
        check("datasets: label and picture", "label" in row and row["image"].mode == "L", {k: row[k] for k in row if k != "image"})
    good, scale = True, None
    points = []
    for split in wanted:
        rows = list(csv.DictReader(open(f"{folder}/{split}/metadata.csv")))
        for r in rows[:200]:
            grey = np.asarray(Image.open(f"{folder}/{split}/{r['file_name']}"))
            image, weight, labels, own = pictures[r["id"]]
            good &= own == split and r["label"] in labels.values() and np.array_equal(grey == 0, weight == 0)
            inside = (grey > 1) & (grey < 255)
            points.append((grey[inside], image[inside]))
    grey, value = np.concatenate([p[0] for p in points]).astype(float), np.concatenate([p[1] for p in points])
    offset, slope = map(float, re.search(r"value = (\S+) \+ \(grey − 1\) · ([0-9.e+-]+);", open(f"{folder}/README.md").read()).groups())
    worst = np.abs(offset + (grey - 1) * slope - value).max() / slope
    check("pictures: gaps are 0, values by the scale of the card within half a grey", good and worst < 0.501, round(float(worst), 4))


def text(value):
    """Attributes are texts of fixed length, which h5py gives as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def nexus_check(folder, pictures):
    table = common(folder)
    good, classes, count = True, True, 0
    for path in sorted(glob.glob(f"{folder}/data/*.h5")):
        with h5py.File(path) as f:
            entry = f[text(f.attrs["default"])]
            data = entry[text(entry.attrs["default"])]
            signal = data[text(data.attrs["signal"])]
            classes &= [text(o.attrs["NX_class"]) for o in (f, entry, data)] == ["NXroot", "NXentry", "NXdata"]
            classes &= len(data.attrs["axes"]) == signal.ndim and f["cxi_version"][()] >= 150
            f.visititems(lambda n, o: None if isinstance(o, h5py.Dataset) or "NX_class" in o.attrs else failed.append(n))
            classes &= f["/entry_1/data_1/data"] == f["/entry_1/instrument_1/detector_1/data"]
            for i, key in enumerate(f["entry_1/record/id"].asstr()[:]):
                image, weight, labels, _ = pictures[key]
                good &= np.array_equal(signal[i], image) and np.array_equal(f["/entry_1/data_1/mask"][i], (weight == 0).astype(np.uint32))
                good &= np.array_equal(data["weight"][i], weight)
                good &= all(f["entry_1/label"][n].asstr()[i] == v for n, v in labels.items())
                count += 1
    check("h5py: NeXus classes and defaults, CXI version and links", classes)
    check("h5py: every picture's pixels, mask, weights and labels are the corpus's", good and count == len(table), count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    for name in ("webdataset", "imagefolder", "nexus"):
        parser.add_argument(f"--{name}")
    a = parser.parse_args()
    pictures = corpus_pictures(a.corpus)
    if a.webdataset:
        webdataset_check(os.path.abspath(a.webdataset), pictures)
    if a.imagefolder:
        imagefolder_check(os.path.abspath(a.imagefolder), pictures)
    if a.nexus:
        nexus_check(os.path.abspath(a.nexus), pictures)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
