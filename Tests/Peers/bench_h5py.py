#!/usr/bin/env python3
"""Opt-in: the same pictures read by PSImageNet and by h5py, in turn.

    swift build -c release --product psimagenet
    python bench_h5py.py --program .build/release/psimagenet --corpus CORPUS

Reads `/image` and `/weight` of the first 1024 training pictures of a built corpus into arrays, in the order of the shards, with 1
thread and with 2 on either side. h5py runs every variant below and the fastest counts:

    rows      dataset[i], picture by picture          (what a data set of pictures does)
    direct    dataset.read_direct(buffer, ...)        (no new array for each picture)
    slices    dataset[a:b], 64 pictures at a time
    processes as rows, in a pool of processes that is started before the clock

Both sides read once without being counted, so that files lie in the page cache. Rounds alternate; samples during which other
programs took 6 % of the processors or more are thrown away. Needs h5py and numpy. Exits with 1 where the pictures differ in number.
"""
import argparse
import concurrent.futures
import csv
import json
import os
import pathlib
import statistics
import subprocess
import time

import h5py
import numpy as np


def places(corpus, count):
    """(shard, rows) in the order of the record table."""
    shards = {}
    with open(corpus / "records.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "train" and sum(map(len, shards.values())) < count:
                shards.setdefault(row["shard"], []).append(int(row["row"]))
    return [(str(corpus / shard), rows) for shard, rows in shards.items()]


def parts(work, threads):
    """Pieces of about equal size, each with its own open file, as threads and processes want it."""
    pieces = []
    for shard, rows in work:
        size = -(-len(rows) // threads)
        pieces += [(shard, rows[i:i + size]) for i in range(0, len(rows), size)]
    return pieces


def read_rows(piece):
    shard, rows = piece
    with h5py.File(shard) as file:
        image, weight = file["image"], file["weight"]
        return sum(image[i].size + weight[i].size > 0 for i in rows)


def read_direct(piece):
    shard, rows = piece
    with h5py.File(shard) as file:
        image, weight = file["image"], file["weight"]
        a, b = np.empty(image.shape[1:], image.dtype), np.empty(weight.shape[1:], weight.dtype)
        for i in rows:
            image.read_direct(a, np.s_[i])
            weight.read_direct(b, np.s_[i])
        return len(rows)


def read_slices(piece):
    shard, rows = piece
    with h5py.File(shard) as file:
        return sum(len(file["image"][r[0]:r[-1] + 1]) for r in runs(rows) if len(file["weight"][r[0]:r[-1] + 1]))


def runs(rows):
    """Consecutive rows, 64 at the most."""
    start = 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or rows[i] != rows[i - 1] + 1 or i - start == 64:
            yield rows[start:i]
            start = i


def busy():
    """Ticks that the processors were busy or stolen, all ticks, and those of this process and its ended children."""
    with open("/proc/stat") as file:
        t = list(map(int, file.readline().split()[1:]))
    own = os.times()
    return t[0] + t[1] + t[2] + t[5] + t[6] + t[7], sum(t[:8]), (own.user + own.system) * os.sysconf("SC_CLK_TCK")


def sample(body, total, others=lambda: 0):
    """Milliseconds of one clean run over at least a second, or None."""
    before, own, began, count = busy(), others(), time.perf_counter(), 0
    while count == 0 or time.perf_counter() - began < 1:
        found = body()
        if found != total:
            raise SystemExit(f"h5py found {found} of {total} pictures")
        count += 1
    elapsed, after = time.perf_counter() - began, busy()
    foreign = (after[0] - before[0]) - (after[2] - before[2]) - (others() - own)
    return 1e3 * elapsed / count if foreign < 0.06 * (after[1] - before[1]) else None


def child_ticks(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
    return total


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", required=True)
    options.add_argument("--corpus", required=True, type=pathlib.Path)
    options.add_argument("--rounds", type=int, default=5)
    options = options.parse_args()
    work, processors = places(options.corpus, 1024), 2
    total = sum(len(rows) for _, rows in work)
    ours, theirs, discarded = {1: [], processors: []}, {}, 0
    with concurrent.futures.ProcessPoolExecutor(processors) as processes, concurrent.futures.ThreadPoolExecutor(processors) as threads:
        list(processes.map(time.sleep, [0.2] * processors))
        pids = list(processes._processes)
        variants = {}
        for name, read in [("rows", read_rows), ("direct", read_direct), ("slices", read_slices)]:
            variants[1, name] = (lambda read=read: sum(map(read, work)), lambda: 0)
            variants[processors, name] = (lambda read=read: sum(threads.map(read, parts(work, processors))), lambda: 0)
        variants[processors, "processes"] = (lambda: sum(processes.map(read_rows, parts(work, processors))), lambda: child_ticks(pids))
        for body, _ in variants.values():
            body()
        for _ in range(options.rounds):
            answer = subprocess.run(
                [options.program, "bench", "--what", "loading", "--corpus", str(options.corpus), "--count", "5", "--json", "--quiet"],
                check=True, capture_output=True, text=True)
            for figure in json.loads(answer.stdout)["figures"]:
                if figure["work"] != "read shards":
                    continue
                if figure["images"] != total:
                    raise SystemExit(f"psimagenet reads {figure['images']} pictures, h5py {total}")
                ours[1 if figure["setting"].endswith("1 thread") else processors] += figure["samples"]["milliseconds"]
            for key, (body, others) in variants.items():
                milliseconds = sample(body, total, others)
                if milliseconds is None:
                    discarded += 1
                else:
                    theirs.setdefault(key, []).append(milliseconds)
    print(f"h5py {h5py.__version__} with HDF5 {h5py.version.hdf5_version}; {total} pictures; {discarded} h5py samples discarded")
    print("| threads | reader | median ms | samples | pictures/s | times the best of h5py |\n|---|---|---|---|---|---|")
    for count in ours:
        medians = {name: statistics.median(v) for (n, name), v in theirs.items() if n == count}
        best = min(medians.values())
        rate = lambda ms: f"{1e3 * total / ms:.0f}"
        median = statistics.median(ours[count])
        print(f"| {count} | psimagenet | {median:.1f} | {len(ours[count])} | {rate(median)} | {best / median:.2f} |")
        for name, ms in sorted(medians.items(), key=lambda item: item[1]):
            print(f"| {count} | h5py {name} | {ms:.1f} | {len(theirs[count, name])} | {rate(ms)} | |")


if __name__ == "__main__":
    main()
