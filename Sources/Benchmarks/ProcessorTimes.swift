import Foundation
import Host

/// Processor time since the start of the system, in the kernel's ticks, over all processors. Source: proc(5).
public struct ProcessorTimes: Hashable, Sendable {
  /// Time in which any process or the kernel ran.
  public let busy: Int
  /// Time in which the machine below this virtual one ran something else.
  public let steal: Int
  /// All time: busy, idle, waiting and stolen.
  public let total: Int
  /// Time of this process and of its children that have ended.
  public let own: Int

  /// Reads `/proc/stat` and `/proc/self/stat` below `root`.
  public static func now(root: String = "") throws(InputError) -> ProcessorTimes {
    let statPath = "\(root)/proc/stat", ownPath = "\(root)/proc/self/stat"
    let all = try text(statPath).split(separator: "\n").first { $0.hasPrefix("cpu ") }?.split(separator: " ").dropFirst().compactMap { Int($0) } ?? []
    guard all.count >= 8 else {
      throw InputError(path: statPath, place: "cpu", expected: "eight or more numbers", found: "\(all.count)")
    }
    // The program's name stands in brackets and may hold anything.
    let own = try text(ownPath).split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
    let times = own.indices.contains(14) ? own[11...14].compactMap { Int($0) } : []
    guard times.count == 4 else {
      throw InputError(path: ownPath, place: "utime, stime, cutime, cstime", expected: "four numbers", found: "\(times.count)")
    }
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user.
    return ProcessorTimes(
      busy: all[0] + all[1] + all[2] + all[5] + all[6], steal: all[7], total: all[..<8].reduce(0, +), own: times.reduce(0, +))
  }

  private static func text(_ path: String) throws(InputError) -> String {
    // Files of the kernel have no size to ask for, so they are read to their end.
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    } catch {
      throw InputError(.missing, path: path, place: "", expected: "the kernel's times", found: error.localizedDescription)
    }
  }
}

/// What others took of the processors while something was measured, as shares of all processors together.
public struct ForeignLoad: Hashable, Sendable {
  public let others: Double
  public let steal: Double

  /// A sample counts only when both shares are below this: above it, a step that waits for its slower core is spoilt.
  public static let limit = 0.06

  public var isClean: Bool { others < ForeignLoad.limit && steal < ForeignLoad.limit }

  /// Between two readings. Too short a time to tell counts as undisturbed.
  public init(from before: ProcessorTimes, to after: ProcessorTimes) {
    let total = Double(after.total - before.total)
    guard total > 0 else {
      (others, steal) = (0, 0)
      return
    }
    others = max(0, Double((after.busy - before.busy) - (after.own - before.own)) / total)
    steal = max(0, Double(after.steal - before.steal) / total)
  }
}
