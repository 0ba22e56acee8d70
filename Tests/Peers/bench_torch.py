#!/usr/bin/env python3
"""Opt-in: the same work in PSImageNet and in PyTorch, timed in turn.

    pip install torch torchvision            # the newest; g++ for the compiled variants
    swift build -c release --product psimagenet
    python3 Tests/Peers/bench_torch.py --program .build/release/psimagenet --out bench.jsonl

measures every row of the table in both precisions, adds a line of JSON per row to --out and prints the Markdown table of all of
them. A row that --out has already is not measured again, so an interrupted run goes on where it stopped; --again measures it once
more, and the newer line counts. One row by itself:

EACH_ROW

How it is fair. Both sides get --threads threads, the same shapes, random pictures, SGD with momentum 0.9 and weight decay 1e-4. Every
PyTorch variant is tried alone; the --finalists fastest are kept alive beside PSImageNet, and all run in turn A B C, B C A, ... Before
each block one step is not counted. A block during which other programs, or the machine below this virtual one, took 6 % of the
processors or more is thrown away and counted. The ratio is that of the medians of the clean samples, against the fastest variant.
Start-up and memory are of fresh processes, in turn. Figures drift by ten percent and more with the hour; compare within a row only.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time

CLEAN = 0.06  # As in ForeignLoad.swift.
Work = collections.namedtuple("Work", "title kind ours torch channels side batch goals")
WORKS = {
    "train-resnet18-128": Work("training step, ResNet-18, 1x128x128, batch 32", "training", "resnet18", "resnet18", 1, 128, 32, (2.0, 1.9)),
    "train-resnet18-64": Work("training step, ResNet-18, 1x64x64, batch 64", "training", "resnet18", "resnet18", 1, 64, 64, (1.6, 1.9)),
    "train-resnet50-224": Work("training step, ResNet-50, 1x224x224, batch 16", "training", "resnet50", "resnet50", 1, 224, 16, (1.5, 1.6)),
    "train-vgg16-224": Work("training step, VGG-16, 3x224x224, batch 8", "training", "vgg16", "vgg16", 3, 224, 8, (1.3, 1.3)),
    "train-mobilenet-v2-128": Work(
        "training step, MobileNet v2, 1x128x128, batch 32", "training", "mobilenet_v2", "mobilenet_v2", 1, 128, 32, (1.3, 1.3)),
    "train-densenet121-128": Work(
        "training step, DenseNet-121, 1x128x128, batch 32", "training", "densenet121", "densenet121", 1, 128, 32, (1.3, 1.3)),
    "infer-resnet18-128": Work("inference (features), ResNet-18, 1x128x128, batch 32", "inference", "resnet18", "resnet18", 1, 128, 32, (1.5, 1.2)),
    "infer-resnet18-64": Work("inference (features), ResNet-18, 1x64x64, batch 64", "inference", "resnet18", "resnet18", 1, 64, 64, (1.5, 1.2)),
    "startup-resnet18": Work(
        "process start to first finished step, ResNet-18, 1x128x128, batch 32", "startup", "resnet18", "resnet18", 1, 128, 32, (5, 5)),
    "memory-resnet18": Work(
        "peak memory of training, ResNet-18, 1x128x128, batch 32, 10 steps", "memory", "resnet18", "resnet18", 1, 128, 32, (2, 2)),
}
PRECISIONS = ("float32", "bfloat16")
TRAINING = ["eager nchw", "eager nchw fused-sgd", "eager cl", "eager cl fused-sgd", "compile cl fused-sgd", "compile nchw fused-sgd"]
INFERENCE = {
    "float32": ["eager nchw", "eager cl", "eager cl fx-fused", "jit-frozen nchw", "jit-frozen cl", "compile nchw frozen", "compile cl frozen"],
    "bfloat16": [
        "eager cl autocast", "eager cl bf16-weights", "eager cl bf16-weights fx-fused", "jit-frozen cl autocast", "jit-frozen cl bf16-weights",
        "compile cl frozen autocast", "compile cl frozen bf16-weights", "compile nchw frozen bf16-weights"],
}


# The PyTorch side: one variant of one work, run on request.

def torch_network(torch, name, channels, kind):
    """torchvision's network with 10 classes; its first convolution replaced where pictures are grey."""
    import torchvision

    network = getattr(torchvision.models, name)(num_classes=10)
    if channels != 3:
        # The path of the first convolution.
        *path, last = {"mobilenet_v2": "features.0.0", "densenet121": "features.conv0", "vgg16": "features.0"}.get(name, "conv1").split(".")
        holder = network.get_submodule(".".join(path))
        old = getattr(holder, last)
        setattr(holder, last, torch.nn.Conv2d(
            channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None))
    if kind == "inference":
        network.fc = torch.nn.Identity()
    return network


def torch_step(torch, work, precision, words):
    """A function that does one step and gives the loss, or a feature."""
    kind = "inference" if work.kind == "inference" else "training"
    torch.manual_seed(0)
    network = torch_network(torch, work.torch, work.channels, kind)
    image = torch.randn(work.batch, work.channels, work.side, work.side)
    target = torch.arange(work.batch) % 10
    if "cl" in words:
        network, image = network.to(memory_format=torch.channels_last), image.to(memory_format=torch.channels_last)
    halves = precision == "bfloat16" and "bf16-weights" not in words
    # Tracing cannot take weights from autocast's cache.
    cast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=halves, cache_enabled="jit-frozen" not in words)
    if kind == "training":
        network.train()
        sgd = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, fused="fused-sgd" in words or None)

        def objective(image, target):
            with cast():
                logits = network(image)
            return torch.nn.functional.cross_entropy(logits.float(), target)

        objective = torch.compile(objective) if "compile" in words else objective

        def step():
            sgd.zero_grad(set_to_none=True)
            loss = objective(image, target)
            loss.backward()
            sgd.step()
            return loss.item()

        return step

    network.eval()
    if "fx-fused" in words:
        from torch.fx.experimental.optimization import fuse

        network = fuse(network)
    if "bf16-weights" in words:
        network, image = network.to(torch.bfloat16), image.to(torch.bfloat16)
    if "jit-frozen" in words:
        with torch.no_grad(), cast():
            network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, image)))
    if "compile" in words:
        import torch._inductor.config

        torch._inductor.config.freezing = True
        network = torch.compile(network)
    # Frozen graphs of the compiler need gradients off, but not inference mode.
    mode = torch.no_grad if "compile" in words else torch.inference_mode

    def features():
        with mode(), cast():
            return network(image)[0, 0].float().item()

    return features


def serve(name, precision, variant, threads):
    import torch

    torch.set_num_threads(threads)
    step = torch_step(torch, WORKS[name], precision, variant.split())
    print(json.dumps({"ready": True, "program": f"torch {torch.__version__}", "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["step"]:
            times, value = [], None
            for _ in range(int(words[1])):
                began = time.perf_counter()
                value = step()
                times.append(1e3 * (time.perf_counter() - began))
            print(json.dumps({"milliseconds": times, "loss": value}), flush=True)
        elif words == ["memory"]:
            status = pathlib.Path("/proc/self/status").read_text().split("\n")
            kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
            print(json.dumps({"peakBytes": kilobytes * 1024}), flush=True)
        elif words == ["quit"]:
            return
        else:
            print(json.dumps({"error": f"unknown request {line.strip()}"}), flush=True)


# The driver.

class Failure(Exception):
    pass


class Program:
    """A process that answers requests line by line."""

    def __init__(self, name, command, environment):
        self.name, self.began = name, time.perf_counter()
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def send(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self.failure("it ended") from None

    def answer(self, key, limit):
        """The next answer that has `key`."""
        end = time.monotonic() + limit
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise self.failure(f"no answer within {limit:.0f} s") from None
            if line is None:
                raise self.failure("it ended")
            if not line.startswith("{"):
                continue
            value = json.loads(line)
            if "error" in value:
                raise self.failure(value["error"])
            if key in value:
                return value

    def failure(self, what):
        self.errors.seek(0)
        said = [line.strip() for line in self.errors.read().split("\n") if line.strip()]
        return Failure(f"{what}{': ' + said[-1][:200] if said else ''}")

    def steps(self, count, limit):
        self.send(f"step {count}")
        return self.answer("milliseconds", limit)["milliseconds"]

    def ticks(self):
        """Processor time of the process with its threads and ended children."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15]))

    def end(self):
        try:
            self.send("quit")
            self.process.wait(10)
        except (Failure, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Load:
    """Foreign load between two looks, as shares of all processors."""

    def __init__(self, own):
        self.own, self.before, self.owned = own, self.look(), own()

    @staticmethod
    def look():
        user, nice, system, idle, wait, irq, soft, steal = map(int, open("/proc/stat").readline().split()[1:9])
        return user + nice + system + irq + soft, steal, user + nice + system + idle + wait + irq + soft + steal

    def is_clean(self):
        busy, steal, total = (after - before for before, after in zip(self.before, self.look()))
        return total == 0 or ((busy - (self.own() - self.owned)) / total < CLEAN and steal / total < CLEAN)


def own_ticks():
    fields = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15]))


class Bench:
    def __init__(self, options):
        self.options = options
        threads = str(options.threads)
        self.environment = dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, CUDA_VISIBLE_DEVICES="")

    def ours(self, work, precision):
        kind = "inference" if work.kind == "inference" else "training"
        return Program("psimagenet", [
            self.options.program, "bench", "serve", "--kind", kind, "--backbone", work.ours, "--channels", str(work.channels), "--side",
            str(work.side), "--batch", str(work.batch), "--precision", precision], self.environment)

    def torch(self, name, precision, variant):
        return Program(variant, [
            sys.executable, os.path.abspath(__file__), "--serve", name, "--precision", precision, "--variant", variant, "--threads",
            str(self.options.threads)], self.environment)

    def variants(self, work, precision):
        """What to try, and what not, with the reason."""
        if work.kind == "inference":
            every = INFERENCE[precision]
        elif work.kind == "training":
            every = TRAINING
        else:
            every = ["eager nchw fused-sgd", "eager cl fused-sgd"]
        left_out = {}
        if work.kind in ("startup", "memory"):
            left_out["compile"] = "compiling takes longer, and holds more, than anything eager"
        if self.options.quick:
            left_out |= {v: "--quick" for v in every if v.startswith("compile")}
        return [v for v in every if v not in left_out], left_out

    def measure(self, name, precision):
        work = WORKS[name]
        row = {
            "work": name, "title": work.title, "precision": precision, "goal": work.goals[PRECISIONS.index(precision)],
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "machine": machine(),
            "threads": self.options.threads, "quick": self.options.quick}
        try:
            row |= {"startup": self.fresh, "memory": self.fresh}.get(work.kind, self.in_turn)(name, work, precision)
        except Failure as failure:
            row["failed"] = str(failure)
        return row

    def in_turn(self, name, work, precision):
        variants, left_out = self.variants(work, precision)
        programs = [self.ours(work, precision)]
        try:
            ready = programs[0].answer("ready", self.options.patience)
            first = self.try_out(programs[0])
            say(f"  psimagenet: {first:.1f} ms")
            tried, torch_version = {}, None
            for variant in variants:
                peer = self.torch(name, precision, variant)
                try:
                    torch_version = peer.answer("ready", self.options.patience)["program"]
                    tried[variant] = self.try_out(peer)
                except Failure as failure:
                    left_out[variant] = str(failure)
                    say(f"  {variant}: left out: {failure}")
                    peer.end()
                    continue
                say(f"  {variant}: {tried[variant]:.1f} ms")
                programs.append(peer)
                # Only the fastest stay: all of them together may not fit into memory.
                fastest = sorted(tried, key=tried.get)[: self.options.finalists]
                for slow in [p for p in programs[1:] if p.name not in fastest]:
                    slow.end()
                    programs.remove(slow)
            if len(programs) == 1:
                raise Failure("no variant of PyTorch ran: " + "; ".join(f"{k}: {v}" for k, v in left_out.items()))
            samples = self.rounds(programs)
        finally:
            for program in programs:
                program.end()
        return {
            "ours": samples[0], "peers": {p.name: s for p, s in zip(programs[1:], samples[1:])}, "tried alone ms": tried,
            "left out": left_out, "torch": torch_version, "plan bytes": ready["planBytes"],
            "floating-point operations": ready["floatingPointOperations"]} | compared(samples[0], {p.name: s for p, s in zip(programs[1:], samples[1:])})

    def try_out(self, program):
        """The median of a few steps alone, after two that do not count (compilers work in them)."""
        warm = program.steps(1, self.options.patience)[0]
        warm = program.steps(1, self.options.patience)[0]
        return statistics.median(program.steps(max(3, min(20, int(2000 / warm))), self.options.patience))

    def rounds(self, programs):
        samples = [{"milliseconds": [], "discarded": 0} for _ in programs]
        end = time.monotonic() + self.options.limit
        turn = 0
        while min(len(s["milliseconds"]) for s in samples) < self.options.samples and time.monotonic() < end:
            for place in [(turn + i) % len(programs) for i in range(len(programs))]:
                program, kept = programs[place], samples[place]
                warm = program.steps(1, self.options.patience)[0]
                load = Load(program.ticks)
                times = program.steps(max(1, min(16, int(1500 / warm))), self.options.patience)
                if load.is_clean():
                    kept["milliseconds"] += [round(t, 3) for t in times]
                else:
                    kept["discarded"] += len(times)
            turn += 1
        return samples

    def fresh(self, name, work, precision):
        """Start-up in ms, or peak memory in MiB, of processes that live for one measurement each."""
        variants, left_out = self.variants(work, precision)
        makers = {"psimagenet": lambda: self.ours(work, precision)}
        makers |= {v: (lambda v=v: self.torch(name, precision, v)) for v in variants}
        key = "milliseconds" if work.kind == "startup" else "MiB"
        samples = {n: {key: [], "discarded": 0} for n in makers}
        wanted = 1 if work.kind == "memory" else max(3 if self.options.quick else 5, self.options.starts)
        end, torch_version, turn = time.monotonic() + self.options.limit, None, 0
        while min(len(s[key]) for s in samples.values()) < wanted and time.monotonic() < end:
            names = list(makers)
            # One start of each is not counted: files are then in memory, and PSImageNet has timed its kernels.
            counts = turn > 0 or work.kind == "memory"
            for place in range(len(names)):
                maker = names[(turn + place) % len(names)]
                load = Load(own_ticks)
                program = makers[maker]()
                try:
                    program.send("step 1" if work.kind == "startup" else "step 10")
                    ready = program.answer("ready", self.options.patience)
                    program.answer("milliseconds", self.options.patience)
                    value = 1e3 * (time.perf_counter() - program.began)
                    if work.kind == "memory":
                        program.send("memory")
                        value = program.answer("peakBytes", self.options.patience)["peakBytes"] / 2**20
                finally:
                    program.end()
                if maker != "psimagenet":
                    torch_version = ready["program"]
                if not counts:
                    continue
                # Memory does not depend on who else runs.
                if work.kind == "memory" or load.is_clean():
                    samples[maker][key].append(round(value, 1))
                else:
                    samples[maker]["discarded"] += 1
            turn += 1
        ours = samples.pop("psimagenet")
        return {"ours": ours, "peers": samples, "left out": left_out, "torch": torch_version} | compared(ours, samples, key)


def compared(ours, peers, key="milliseconds"):
    """The ratio of medians against the fastest variant; none without clean samples on both sides."""
    medians = {name: statistics.median(s[key]) for name, s in peers.items() if s[key]}
    if not ours[key] or not medians:
        return {"failed": "no clean samples on one side; something else runs on this machine"}
    best = min(medians, key=medians.get)
    return {
        "best": best, "ratio": round(medians[best] / statistics.median(ours[key]), 3),
        "ratio of minima": round(min(peers[best][key]) / min(ours[key]), 3)}


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().split("\n")
    name = next((l.split(":")[1].strip() for l in lines if l.startswith("model name")), "unknown processor")
    flags = next((l.split(":")[1].split() for l in lines if l.startswith("flags")), [])
    return f"{name}, {os.cpu_count()} processors" + "".join(f", {f}" for f in ("avx512f", "avx512_bf16", "amx_bf16") if f in flags)


def table(rows):
    """The newest line of every row, as Markdown."""
    newest = {(r["work"], r["precision"]): r for r in rows}
    text = "| work | precision | PSImageNet | PyTorch, best variant | ratio | wanted |\n|---|---|---|---|---|---|\n"
    for name in WORKS:
        for precision in PRECISIONS:
            row = newest.get((name, precision))
            if not row:
                continue
            head = f"| {row['title']} | {precision} |"
            if "failed" in row:
                text += f"{head} | | | not measured: {row['failed']} | {row['goal']:g} |\n"
                continue
            text += f"{head} {shown(row['ours'])} | {row['best']}: {shown(row['peers'][row['best']])} | {row['ratio']:.2f} | {row['goal']:g} |\n"
    return text


def shown(samples):
    key, unit = ("MiB", "MiB") if "MiB" in samples else ("milliseconds", "ms")
    values = samples[key]
    discarded = f", {samples['discarded']} discarded" if samples["discarded"] else ""
    return f"{statistics.median(values):.1f} {unit} (min {min(values):.1f}, n = {len(values)}{discarded})"


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_rows(path):
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path.exists() else []


def main():
    command = "python3 Tests/Peers/bench_torch.py --program .build/release/psimagenet --out bench.jsonl --work"
    rows = "\n".join(f"    {command} {name}" for name in WORKS)
    parser = argparse.ArgumentParser(description=__doc__.replace("EACH_ROW", rows), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/psimagenet", help="the built psimagenet")
    parser.add_argument("--work", action="append", choices=list(WORKS), help="a row; once for each, all where left out")
    parser.add_argument("--precision", choices=PRECISIONS, help="both where left out")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("bench.jsonl"), help="JSON lines, read and added to")
    parser.add_argument("--again", action="store_true", help="measure rows that --out has already")
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--samples", type=int, default=20, help="clean samples wanted of each program")
    parser.add_argument("--starts", type=int, default=5, help="clean starts wanted of each program (at least 5, 3 with --quick)")
    parser.add_argument("--finalists", type=int, default=2, help="PyTorch variants timed in turn with PSImageNet")
    parser.add_argument("--limit", type=float, default=300, help="seconds for the rounds of a row")
    parser.add_argument("--patience", type=float, default=420, help="seconds to wait for an answer; compilers take minutes")
    parser.add_argument("--quick", action="store_true", help="few samples and nothing compiled by PyTorch: to try it, not to quote")
    parser.add_argument("--serve", choices=list(WORKS), help=argparse.SUPPRESS)
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.precision, options.variant, options.threads)
    if options.quick:
        options.samples, options.finalists, options.limit = min(options.samples, 6), 1, min(options.limit, 60)
    known = read_rows(options.out)
    done = {(r["work"], r["precision"]) for r in known if "failed" not in r}
    bench = Bench(options)
    for name in [] if options.table else options.work or WORKS:
        for precision in [options.precision] if options.precision else PRECISIONS:
            if (name, precision) in done and not options.again:
                continue
            say(f"{name} {precision}")
            row = bench.measure(name, precision)
            say(f"  ratio {row['ratio']:.2f} against {row['best']}" if "ratio" in row else f"  not measured: {row['failed']}")
            with options.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
    print(table(read_rows(options.out)), end="")


if __name__ == "__main__":
    main()
