import Dispatch
import Foundation
import Synchronization

/// SIGTERM, SIGINT and SIGUSR1, which batch systems send before they kill: a flag that a loop can look at, and the end of the program with
/// code 75 while there is nothing that a loop would have to save.
final class StopSignals {
  /// May be looked at from any thread.
  final class Flag: Sendable {
    fileprivate let raised = Atomic<Bool>(false)
    fileprivate let endsProgram: Atomic<Bool>
    var isRaised: Bool { raised.load(ordering: .relaxed) }

    fileprivate init(endsProgram: Bool) { self.endsProgram = Atomic(endsProgram) }

    fileprivate func endIfAsked() {
      guard isRaised, endsProgram.load(ordering: .relaxed) else { return }
      FileHandle.standardError.write(Data("stopped; run the same command again to go on\n".utf8))
      // At once: other threads are at work on what the program's end would take apart.
      _exit(75)
    }
  }
  let flag: Flag
  private let sources: [any DispatchSourceSignal]

  var received: Bool { flag.isRaised }

  /// Whether a signal ends the program; else it only raises the flag.
  var endsProgram: Bool {
    get { flag.endsProgram.load(ordering: .relaxed) }
    set {
      flag.endsProgram.store(newValue, ordering: .relaxed)
      flag.endIfAsked()
    }
  }

  init(endingProgram: Bool = false) {
    let flag = Flag(endsProgram: endingProgram)
    self.flag = flag
    sources = [SIGTERM, SIGINT, SIGUSR1].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        flag.raised.store(true, ordering: .relaxed)
        flag.endIfAsked()
      }
      source.resume()
      return source
    }
  }
}
