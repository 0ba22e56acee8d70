import Foundation
import Host
import Testing

/// A tree of the kernel's files below a temporary folder.
private final class Tree {
  let root = NSTemporaryDirectory() + "tree-\(UUID().uuidString)"
  init(_ files: [String: String]) throws {
    for (path, text) in files { try AtomicFile.write(Data(text.utf8), to: root + path) }
  }
  deinit { try? FileManager.default.removeItem(atPath: root) }
}

private let machine = "MemTotal:       4096 kB\nMemFree:         100 kB\nMemAvailable:    3000 kB\n"

@Test func theKernelsEstimateHoldsWhereNothingLimitsIt() throws {
  let tree = try Tree(["/proc/meminfo": machine, "/proc/self/cgroup": "0::/job\n", "/sys/fs/cgroup/job/memory.max": "max\n"])
  #expect(AvailableMemory.current(root: tree.root) == AvailableMemory(bytes: 3000 << 10, source: "MemAvailable of this machine"))
  #expect(AvailableMemory.current(root: tree.root + "/nowhere") == nil)
}

/// The job's own limit is wide; its parent leaves 1 MiB − 512 KiB, and 100 KiB of what is used is file cache.
@Test func theTightestEnclosingGroupDecides() throws {
  let tree = try Tree([
    "/proc/meminfo": machine, "/proc/self/cgroup": "0::/slurm/job\n",
    "/sys/fs/cgroup/slurm/job/memory.max": "8388608\n", "/sys/fs/cgroup/slurm/job/memory.current": "0\n",
    "/sys/fs/cgroup/slurm/memory.max": "1048576\n", "/sys/fs/cgroup/slurm/memory.current": "524288\n",
    "/sys/fs/cgroup/slurm/memory.stat": "anon 1\ninactive_file 61440\nactive_file 40960\n",
  ])
  let left = AvailableMemory.current(root: tree.root)
  #expect(left?.bytes == 1_048_576 - 524_288 + 102_400 && left?.source.contains("/slurm") == true)
}

@Test func groupsOfVersionOneAreRead() throws {
  let tree = try Tree([
    "/proc/meminfo": machine, "/proc/self/cgroup": "7:cpu,cpuacct:/job\n5:memory:/job\n",
    "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "204800\n", "/sys/fs/cgroup/memory/job/memory.usage_in_bytes": "4800\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "/sys/fs/cgroup/memory/memory.usage_in_bytes": "4800\n",
  ])
  #expect(AvailableMemory.current(root: tree.root)?.bytes == 200_000)
}

@Test func thisMachineTellsWhatItHasLeft() {
  #expect(AvailableMemory.current().map { $0.bytes > 0 } == true)
}

@Test(arguments: [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")])
func bytesAreShownForPeople(bytes: Int, text: String) {
  #expect(bytes.asBytes == text)
}
