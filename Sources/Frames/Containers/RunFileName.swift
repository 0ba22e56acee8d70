import Foundation
import Host

/// What a file name such as `xpptut15-r0054-s03-c00.xtc` says: experiment, run, stream and chunk.
///
/// The streams of a run are written at the same time by several nodes; the chunks of a stream follow each other.
struct RunFileName: Hashable {
  /// From this stream on, streams are written by the control system, on its own clock.
  static let firstControlStream = 80

  let experiment: String
  let run: Int
  /// `nil` where the name has none.
  let stream: Int?
  /// `nil` where the name has none.
  let chunk: Int?

  init?(_ path: String) {
    let name = path.nameInPath
    let parts = (name.split(separator: ".", maxSplits: 1).first ?? "").split(separator: "-")
    guard parts.count >= 2, let run = RunFileName.number(parts[1], after: "r") else { return nil }
    experiment = String(parts[0])
    self.run = run
    stream = parts.dropFirst(2).lazy.compactMap { RunFileName.number($0, after: "s") }.first
    chunk = parts.dropFirst(2).lazy.compactMap { RunFileName.number($0, after: "c") }.first
  }

  private static func number(_ part: Substring, after letter: Character) -> Int? {
    guard part.first == letter, part.count > 1, part.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(part.dropFirst())
  }
}
