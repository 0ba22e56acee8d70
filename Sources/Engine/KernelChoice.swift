import Foundation
import Synchronization

/// How a plan picks one of several kernels that compute the same thing up to rounding.
public enum KernelChoice: Sendable {
  /// By a rule that looks at shapes only: the same program, precision and number of cores give the same bits on every run.
  case fixed
  /// By timing each once on this machine, some milliseconds a layer, and remembering the winner. Runs that share the
  /// memory give the same bits.
  case timed(KernelTimings)
}

/// The fastest kernel of each problem met so far, in memory and, where a path is given, in a file.
///
/// A file of another machine, library version or number of cores holds other problems, so one file may serve many machines.
public final class KernelTimings: Sendable {
  private struct File: Codable {
    /// Counts up when there are more kernels to choose from, so that the new ones are timed too.
    static let current = 3
    var version = current
    var fastest: [String: String]
  }

  private let path: String?
  /// The processor and the library, which decide what is fast.
  package let machine: String
  private let fastest: Mutex<[String: String]>

  /// Reads `path` where it exists. A file that cannot be understood counts as absent: it holds nothing that timing would not find again.
  public init(path: String? = nil) {
    self.path = path
    let cpu = FileManager.default.contents(atPath: "/proc/cpuinfo").map { String(decoding: $0, as: UTF8.self) } ?? ""
    let model = cpu.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? " unknown processor"
    machine = "\(model.dropFirst()), \(DNNL.version)"
    var known: [String: String] = [:]
    if let path, let data = FileManager.default.contents(atPath: path) {
      do {
        let file = try JSONDecoder().decode(File.self, from: data)
        if file.version == File.current { known = file.fastest }
      } catch { known = [:] }
    }
    fastest = Mutex(known)
  }

  /// The file in the user's cache folder: `$XDG_CACHE_HOME/psimagenet/kernels.json`, or under `~/.cache`.
  public static func userCache(_ environment: [String: String]) -> KernelTimings {
    let folder = environment["XDG_CACHE_HOME"] ?? environment["HOME"].map { $0 + "/.cache" }
    return KernelTimings(path: folder.map { $0 + "/psimagenet/kernels.json" })
  }

  func winner(of problem: String) -> String? { fastest.withLock { $0[problem] } }

  package func remember(_ winner: String, of problem: String) { fastest.withLock { $0[problem] = winner } }

  /// Writes what is known, together with what other processes have written meanwhile. Does nothing without a path; a cache that
  /// cannot be written costs the next start some milliseconds and nothing else.
  func save() {
    guard let path else { return }
    var all = KernelTimings(path: path).fastest.withLock { $0 }
    fastest.withLock { all.merge($0) { _, mine in mine } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(File(fastest: all)) else { return }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    _ = try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}
