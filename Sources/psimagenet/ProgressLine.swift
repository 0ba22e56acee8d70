import Foundation
import Host
import struct Host.Progress
import Synchronization

/// Shows progress: one line that is rewritten on a terminal, a plain line every few seconds elsewhere.
///
/// `train flip:  43% [########          ] 430/1000 00:12<00:16 35.4/s loss 0.310`
final class ProgressLine: Sendable {
  private struct State {
    var activity = ""
    var began = ContinuousClock.now
    var first = 0
    var shown: ContinuousClock.Instant?
    var width = 0
  }
  private let state = Mutex(State())
  private let isTerminal: Bool
  private let interval: Duration

  init(isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
    self.isTerminal = isTerminal
    interval = isTerminal ? .milliseconds(100) : .seconds(10)
  }

  var handler: ProgressHandler { { [self] in show($0) } }

  func show(_ progress: Progress) {
    state.withLock { state in
      let now = ContinuousClock.now, isDone = progress.total > 0 && progress.done >= progress.total
      if state.activity != progress.activity {
        if state.width > 0 { write("\n") }
        state = State(activity: progress.activity, began: now, first: progress.done, shown: nil, width: 0)
      }
      guard isDone || state.shown.map({ now - $0 >= interval }) ?? true else { return }
      state.shown = now
      let elapsed = seconds(now - state.began), work = Double(progress.done - state.first)
      let rate = elapsed > 0 ? work / elapsed : 0, left = rate > 0 ? Double(progress.total - progress.done) / rate : 0
      let share = progress.total > 0 ? Double(progress.done) / Double(progress.total) : 1, cells = Int(share * 18)
      var line = progress.activity + ":"
      if progress.total > 0 {
        line += String(format: " %3d%%", Int(share * 100))
        if isTerminal { line += " [" + String(repeating: "#", count: cells) + String(repeating: " ", count: 18 - cells) + "]" }
        line += " \(progress.done)/\(progress.total) \(clock(elapsed))<\(clock(left)) \(String(format: "%.1f", rate))/s"
      } else {
        // How many there will be is not known.
        line += " \(progress.done) in \(clock(elapsed)), \(String(format: "%.1f", rate))/s"
      }
      if !progress.note.isEmpty { line += " \(progress.note)" }
      if isTerminal {
        write("\r" + line + String(repeating: " ", count: max(0, state.width - line.count)) + (isDone ? "\n" : ""))
        state.width = isDone ? 0 : line.count
      } else {
        write(line + "\n")
      }
    }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  private func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole >= 3600
      ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60) : String(format: "%02d:%02d", whole / 60, whole % 60)
  }
}

func seconds(_ duration: Duration) -> Double {
  let (whole, fraction) = duration.components
  return Double(whole) + Double(fraction) * 1e-18
}
