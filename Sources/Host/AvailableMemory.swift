import Foundation

/// How much memory this process may still take before the system kills it or starts to swap.
public struct AvailableMemory: Hashable, Sendable {
  public let bytes: Int
  /// What sets the limit, for messages: `MemAvailable of this machine` or `the memory limit of the control group /job`.
  public let source: String

  public init(bytes: Int, source: String) {
    (self.bytes, self.source) = (bytes, source)
  }

  /// The smaller of the kernel's `MemAvailable` and what the process's control groups (version 2 and 1) leave.
  ///
  /// What a control group uses counts without its file cache, which the kernel gives back when memory runs short.
  /// `nil` where the system tells nothing of it. Source: proc(5), Documentation/admin-guide/cgroup-v2.rst of the kernel.
  /// - Parameter root: the folder that holds `proc` and `sys`.
  public static func current(root: String = "") -> AvailableMemory? {
    var candidates: [AvailableMemory] = []
    if let bytes = text("\(root)/proc/meminfo").flatMap({ kibibytes("MemAvailable:", in: $0) }) {
      candidates.append(.init(bytes: bytes, source: "MemAvailable of this machine"))
    }
    for line in text("\(root)/proc/self/cgroup")?.split(separator: "\n") ?? [] {
      // `0::/path` is version 2; `5:memory:/path` version 1.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      guard parts[1].isEmpty || controllers.contains("memory") else { continue }
      let mount = "\(root)/sys/fs/cgroup" + (parts[1].isEmpty ? "" : "/memory")
      // The limit of every enclosing group holds too.
      var group = parts[2]
      while true {
        if let bytes = left(in: mount + group, isVersion2: parts[1].isEmpty) {
          candidates.append(.init(bytes: bytes, source: "the memory limit of the control group \(group.isEmpty ? "/" : group)"))
        }
        guard !group.isEmpty, group != "/" else { break }
        group = group.folderOfPath
      }
    }
    return candidates.min { $0.bytes < $1.bytes }
  }

  /// Bytes that a group may still take; `nil` where it has no limit.
  private static func left(in folder: String, isVersion2: Bool) -> Int? {
    let names = isVersion2
      ? (limit: "memory.max", used: "memory.current", cache: ["active_file ", "inactive_file "])
      : (limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", cache: ["total_active_file ", "total_inactive_file "])
    // Version 1 writes a number near 2⁶³ for "no limit".
    guard let limit = number("\(folder)/\(names.limit)"), limit < 1 << 60, let used = number("\(folder)/\(names.used)") else { return nil }
    let lines = text("\(folder)/memory.stat")?.split(separator: "\n") ?? []
    let cache = names.cache.map { name in lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) } ?? 0 }
    return max(0, limit - max(0, used - cache.reduce(0, +)))
  }

  private static func kibibytes(_ key: String, in text: String) -> Int? {
    text.split(separator: "\n").first { $0.hasPrefix(key) }
      .flatMap { Int($0.dropFirst(key.count).split(separator: " ").first ?? "") }.map { $0 << 10 }
  }

  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// Files of the kernel have no size to ask for, so they are read to their end.
  private static func text(_ path: String) -> String? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    return (try? handle.readToEnd()).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Int {
  /// Bytes for people, such as `3.2 GiB`.
  public var asBytes: String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(self), unit = 0
    while abs(value) >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
    return unit == 0 ? "\(self) bytes" : String(format: "%.1f ", value) + units[unit]
  }
}
