import Engine
import Foundation
import Host

/// What a recipe says of precision: one by name, or whichever this processor is faster in.
public enum PrecisionChoice: String, NamedChoice, Sendable {
  /// bfloat16 where the processor multiplies it faster than float32 (AMX; AVX512-BF16 but Intel's), else float32.
  case automatic = "auto"
  case float32
  case bfloat16

  public init(_ precision: Precision) { self = precision == .bfloat16 ? .bfloat16 : .float32 }

  /// The precision to run in on the processor that `processors` describes, and why.
  /// - Parameter processors: a file like `/proc/cpuinfo`; where there is none, `auto` means float32.
  public func decided(processors: String = "/proc/cpuinfo") -> PrecisionDecision {
    switch self {
    case .float32: return .init(precision: .float32, reason: "as asked for")
    case .bfloat16: return .init(precision: .bfloat16, reason: "as asked for")
    case .automatic:
      // Files of the kernel have no size to ask for, so it is read to its end.
      guard let data = try? FileHandle(forReadingAtPath: processors)?.readToEnd() else {
        return .init(precision: .float32, reason: "chosen, as \(processors) cannot be read to tell what the processor has")
      }
      let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
      func words(of key: String) -> Set<String> {
        let line = lines.first { $0.hasPrefix(key) } ?? ""
        return Set(line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" }).dropFirst().map(String.init))
      }
      let flags = words(of: "flags")
      let found = [("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16")].filter { flags.contains($0.0) }.map(\.1)
      if found.isEmpty { return .init(precision: .float32, reason: "chosen, as the processor has neither AVX512-BF16 nor AMX") }
      // Intel's AVX512-BF16 multiplies no faster than float32, and Winograd's kernels are for float32 only (Docs/Benchmarks.md).
      if found == ["AVX512-BF16"], words(of: "vendor_id").contains("GenuineIntel") {
        return .init(precision: .float32, reason: "chosen, as Intel's AVX512-BF16 without AMX is the slower of the two")
      }
      return .init(precision: .bfloat16, reason: "chosen, as the processor has \(found.joined(separator: " and "))")
    }
  }
}

/// A precision and the reason for it, as a run keeps them.
public struct PrecisionDecision: Codable, Hashable, Sendable, CustomStringConvertible {
  public var precision: Precision
  public var reason: String

  public init(precision: Precision, reason: String) {
    (self.precision, self.reason) = (precision, reason)
  }

  public var description: String { "\(precision.rawValue) (\(reason))" }
}
