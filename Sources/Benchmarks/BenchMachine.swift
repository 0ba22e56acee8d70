import Engine
import Foundation
import Host

/// The machine that was measured, as far as it tells.
public struct BenchMachine: Codable, Hashable, Sendable {
  public var processor: String
  /// Instruction sets that matter here, of `AVX2 AVX512 AVX512-BF16 AMX`.
  public var features: [String]
  public var processors: Int
  /// That the engine uses.
  public var threads: Int
  public var lastLevelCacheBytes: Int?
  public var memoryBytes: Int
  public var oneDNN: String
  public var openBLAS: String

  public static func current() -> BenchMachine {
    let text = contents("/proc/cpuinfo"), lines = text.split(separator: "\n")
    func value(_ key: String) -> String? {
      lines.first { $0.hasPrefix(key) }?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let flags = Set((value("flags") ?? "").split(separator: " ").map(String.init))
    let known = [("avx2", "AVX2"), ("avx512f", "AVX512"), ("avx512_bf16", "AVX512-BF16"), ("amx_bf16", "AMX")]
    return BenchMachine(
      processor: [value("model name"), value("cpu family").map { "family \($0)" }, value("model\t").map { "model \($0)" }]
        .compactMap(\.self).joined(separator: ", "),
      features: known.filter { flags.contains($0.0) }.map(\.1), processors: ProcessInfo.processInfo.activeProcessorCount,
      threads: EngineThreads.count, lastLevelCacheBytes: lastLevelCacheBytes(), memoryBytes: Int(ProcessInfo.processInfo.physicalMemory),
      oneDNN: DNNL.version, openBLAS: BLAS.configuration)
  }

  /// Of the first processor's outermost cache; `nil` where the system does not tell.
  public static func lastLevelCacheBytes(root: String = "") -> Int? {
    let folder = "\(root)/sys/devices/system/cpu/cpu0/cache"
    var outermost: (level: Int, bytes: Int)?
    for index in 0..<8 {
      guard let level = Int(contents("\(folder)/index\(index)/level").trimmingCharacters(in: .whitespacesAndNewlines)) else { continue }
      let size = contents("\(folder)/index\(index)/size").trimmingCharacters(in: .whitespacesAndNewlines)
      guard let unit = ["K": 10, "M": 20, "G": 30][size.suffix(1)], let number = Int(size.dropLast()) else { continue }
      if level > outermost?.level ?? 0 { outermost = (level, number << unit) }
    }
    return outermost?.bytes
  }

  /// A file of the kernel, empty where there is none; such files have no size to ask for, so they are read to their end.
  private static func contents(_ path: String) -> String {
    (try? FileHandle(forReadingAtPath: path)?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

/// The memory of this process.
public enum ProcessMemory {
  /// The most that was ever resident, bytes: `VmHWM` of `/proc/self/status`. Source: proc(5).
  public static func peakBytes(root: String = "") throws(InputError) -> Int {
    let path = "\(root)/proc/self/status"
    let data: Data
    do { data = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() ?? Data() } catch {
      throw InputError(.missing, path: path, place: "", expected: "the process's figures", found: error.localizedDescription)
    }
    guard let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
    else { throw InputError(path: path, place: "VmHWM", expected: "a number of kB", found: "none") }
    return kibibytes << 10
  }
}
