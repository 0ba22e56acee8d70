import Foundation
import Host
import Synchronization

/// The processes that build one corpus together, on one machine or many, as far as each has to know of the others.
///
/// They share nothing but the building folder. Rank 0 opens a session there that names every process; each then makes its own part,
/// shows by a pulse that it lives, and says when it is done or has failed. A failure, a pulse that stops and a session that ends
/// stop all of them. Launchers only have to start the processes. Why no MPI library: Docs/Decisions/019.
final class BuildCrew: Sendable {
  /// Within the building folder.
  static let folder = "crew"

  let rank: BuildRank
  private let path: String
  private let timing: Timing
  private let pulse: Mutex<Pulse>
  private let heart = Heart()

  struct Timing: Sendable {
    /// How long processes may take to appear after the first, s.
    var gathering = 300.0
    /// How often a process shows that it lives, s.
    var pulse = 5.0
    /// Without a new pulse for this long a process counts as dead, s.
    var silence = 90.0
  }

  private struct Hello: Codable {
    var nonce: UInt64
    var host: String
    var process: Int32
  }

  private struct Session: Codable, Equatable {
    var nonces: [UInt64]
  }

  private struct Failure: Codable {
    var kind: Int32
    var path: String, place: String, expected: String, found: String
    var host: String
  }

  private struct Pulse {
    var session: Session?
    /// Rank -> what its pulse said last and when that was new.
    var seen: [Int: (text: Data, since: ContinuousClock.Instant)] = [:]
    var looked = ContinuousClock.now
  }

  /// Meets the other processes in the building folder at `place`, which rank 0 must have prepared. Alone it does nothing.
  init(_ rank: BuildRank, in place: BuildFolder, timing: Timing = Timing(), waiting: (String) throws(InputError) -> Void) throws(InputError) {
    (self.rank, self.timing) = (rank, timing)
    path = "\(place.path)/\(BuildCrew.folder)"
    pulse = Mutex(Pulse())
    guard rank.count > 1 else { return }
    let session = try rank.isFirst ? open(waiting) : join(waiting)
    pulse.withLock { $0.session = session }
    startPulse()
  }

  deinit { heart.stop() }

  // MARK: Gathering

  private func open(_ waiting: (String) throws(InputError) -> Void) throws(InputError) -> Session {
    if AtomicFile.isFolder(path) {
      // Moved before it is removed, so that nobody writes into a folder that is half gone.
      let old = path + ".\(UInt64.random(in: .min ... .max))"
      try AtomicFile.move(path, to: old)
      do { try FileManager.default.removeItem(atPath: old) } catch {
        throw InputError(.inputOutput, path: old, place: "remove", expected: "a removable folder", found: error.localizedDescription)
      }
    }
    try AtomicFile.makeFolder(path)
    var nonces: [Int: UInt64] = [0: UInt64.random(in: .min ... .max)]
    try wait("processes to appear", limit: timing.gathering, waiting) { () throws(InputError) in
      for other in 1..<rank.count where nonces[other] == nil && FileManager.default.fileExists(atPath: "\(path)/hello-\(other)") {
        let file = "\(path)/hello-\(other)"
        nonces[other] = try CanonicalJSON.value(Hello.self, from: try AtomicFile.read(file), path: file).nonce
      }
      let missing = (0..<rank.count).filter { nonces[$0] == nil }
      return missing.isEmpty ? nil : "rank \(missing.map(String.init).joined(separator: ", ")) of \(rank.count)"
    }
    let session = Session(nonces: (0..<rank.count).map { nonces[$0, default: 0] })
    try AtomicFile.write(try CanonicalJSON.data(session), to: path + "/session.json")
    return session
  }

  private func join(_ waiting: (String) throws(InputError) -> Void) throws(InputError) -> Session {
    let hello = Hello(
      nonce: UInt64.random(in: .min ... .max), host: FileLock.hostName, process: ProcessInfo.processInfo.processIdentifier)
    let file = "\(path)/hello-\(rank.number)"
    var joined: Session?
    try wait("rank 0", limit: timing.gathering, waiting) { () throws(InputError) in
      if let session = try readSession(), session.nonces.count == rank.count, session.nonces[rank.number] == hello.nonce {
        joined = session
        return nil
      }
      if AtomicFile.isFolder(path), !FileManager.default.fileExists(atPath: file) {
        // Rank 0 may be clearing the folder of a dead build at this moment; then this is tried again.
        do throws(InputError) { try AtomicFile.write(try CanonicalJSON.data(hello), to: file) } catch { return "rank 0 to clear the folder" }
      }
      return "rank 0 to open the build (or another process calls itself rank \(rank.number))"
    }
    guard let joined else { preconditionFailure("joined without a session") }
    return joined
  }

  private func readSession() throws(InputError) -> Session? {
    let file = path + "/session.json"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    do throws(InputError) { return try CanonicalJSON.value(Session.self, from: try AtomicFile.read(file), path: file) } catch {
      // Removed since.
      if error.kind == .missing || error.kind == .inputOutput { return nil }
      throw error
    }
  }

  // MARK: Working

  /// Waits until `isReady` and stops early where another process has failed. `what` is for messages.
  func wait(for what: String, _ waiting: (String) throws(InputError) -> Void, until isReady: () throws(InputError) -> Bool) throws(InputError) {
    try wait(what, limit: nil, waiting) { () throws(InputError) in
      if try isReady() { return nil }
      try check()
      return what
    }
  }

  /// Polls until `missing` is nil. With a limit, it is an error when something is missing after so many seconds.
  private func wait(
    _ what: String, limit: Double?, _ waiting: (String) throws(InputError) -> Void, missing: () throws(InputError) -> String?
  ) throws(InputError) {
    let began = ContinuousClock.now
    var pause = 5_000 as UInt32
    while let left = try missing() {
      try waiting(left)
      if let limit, ContinuousClock.now - began > .seconds(limit) {
        throw InputError(.inputOutput, path: path, place: "", expected: "\(what) within \(Int(limit)) s", found: "still waiting for \(left)")
      }
      usleep(pause)
      pause = min(pause * 2, 200_000)
    }
  }

  /// Throws where another process has failed or died, or the session has ended. Looks at most once a second.
  func check() throws(InputError) {
    guard rank.count > 1, try checkOthers() else { return }
    let session = pulse.withLock { $0.session }
    guard try readSession() == session else { throw isEnded }
  }

  /// Whether it was time to look.
  private func checkOthers() throws(InputError) -> Bool {
    let isTime = pulse.withLock { state in
      guard ContinuousClock.now - state.looked > .seconds(1) else { return false }
      state.looked = .now
      return true
    }
    guard isTime else { return false }
    for other in 0..<rank.count where other != rank.number {
      if let failure = try failure(of: other) { throw failure }
      try checkPulse(of: other)
    }
    return true
  }

  /// Waits until every other process has heard that the build failed, so that all tell it and nobody writes into a folder that is
  /// removed; for 15 s at most, since one may be dead.
  func waitForEnd() {
    guard rank.count > 1 else { return }
    let began = ContinuousClock.now
    func hasHeard(_ other: Int) -> Bool { FileManager.default.fileExists(atPath: "\(path)/failed-\(other).json") }
    while ContinuousClock.now - began < .seconds(15), !(1..<rank.count).allSatisfy(hasHeard) { usleep(20_000) }
  }

  /// Waits until the corpus stands at `folder`; throws where the build failed after this process had made its part.
  func waitForCorpus(at folder: String, _ waiting: (String) throws(InputError) -> Void) throws(InputError) {
    let own = pulse.withLock { $0.session }
    var gone: ContinuousClock.Instant?
    try wait("the corpus", limit: nil, waiting) { () throws(InputError) in
      if let session = try readSession() {
        guard session == own else { throw isEnded }
        _ = try checkOthers()
        return "rank 0 to complete the corpus"
      }
      // The session goes just before the building folder becomes the corpus; otherwise rank 0 has died or begun anew.
      if !AtomicFile.isFolder(path.folderOfPath), FileManager.default.fileExists(atPath: folder + "/manifest.json") {
        return nil
      }
      let since = gone ?? .now
      gone = since
      guard ContinuousClock.now - since < .seconds(timing.silence) else { throw isEnded }
      return "rank 0 to publish the corpus"
    }
  }

  private var isEnded: InputError {
    InputError(.inputOutput, path: path, place: "", expected: "the build that this process joined", found: "that rank 0 has ended it")
  }

  /// What to tell of an error that may come of another process's end, which takes the folder with it.
  func explained(_ error: InputError) -> InputError {
    let folder = path.folderOfPath
    guard rank.count > 1, !rank.isFirst, error.kind != .malformed, error.path.hasPrefix(folder), !AtomicFile.isFolder(path) else { return error }
    return isEnded
  }

  private func failure(of other: Int) throws(InputError) -> InputError? {
    let file = "\(path)/failed-\(other).json"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let failure = try CanonicalJSON.value(Failure.self, from: try AtomicFile.read(file), path: file)
    let place = [failure.place, "rank \(other) on \(failure.host)"].filter { !$0.isEmpty }.joined(separator: ", ")
    return InputError(
      InputError.Kind(rawValue: failure.kind) ?? .malformed, path: failure.path, place: place, expected: failure.expected,
      found: failure.found)
  }

  private func checkPulse(of other: Int) throws(InputError) {
    guard !FileManager.default.fileExists(atPath: "\(path)/done-\(other)") else { return }
    // Not yet there, or just being replaced: an old pulse counts on.
    let text = FileManager.default.contents(atPath: "\(path)/pulse-\(other)") ?? Data()
    let silence = pulse.withLock { state -> Duration in
      let now = ContinuousClock.now
      if state.seen[other]?.text != text || text.isEmpty && state.seen[other] == nil { state.seen[other] = (text, now) }
      return now - (state.seen[other]?.since ?? now)
    }
    guard silence < .seconds(timing.silence) else {
      throw InputError(
        .inputOutput, path: path, place: "rank \(other)", expected: "a sign of life every \(Int(timing.pulse)) s",
        found: "none for \(Int(timing.silence)) s; it was killed or cannot reach this folder")
    }
  }

  private func startPulse() {
    let file = "\(path)/pulse-\(rank.number)"
    heart.start(every: timing.pulse) { beat in
      // A pulse that cannot be written is a pulse that stops: the others will say so.
      _ = FileManager.default.createFile(atPath: file, contents: Data("\(beat)\n".utf8))
    }
  }

  // MARK: Ending

  /// Tells the others that this process has made its part.
  func finish() throws(InputError) {
    guard rank.count > 1, !rank.isFirst else { return }
    heart.stop()
    try AtomicFile.write(Data("done\n".utf8), to: "\(path)/done-\(rank.number)")
  }

  /// Waits for all others to have made theirs.
  func waitForAll(_ waiting: (String) throws(InputError) -> Void) throws(InputError) {
    var working = Set(1..<max(rank.count, 1))
    try wait(for: "the other ranks", waiting) { () throws(InputError) in
      working = working.filter { !FileManager.default.fileExists(atPath: "\(path)/done-\($0)") }
      return working.isEmpty
    }
  }

  /// The pulse of rank 0 ends; nothing is written any more.
  func end() { heart.stop() }

  /// Tells the others why this process stops. What cannot be told is left to the launcher and to the pulse that stops.
  func fail(_ error: InputError) {
    heart.stop()
    guard rank.count > 1, AtomicFile.isFolder(path) else { return }
    let failure = Failure(
      kind: error.kind.rawValue, path: error.path, place: error.place, expected: error.expected, found: error.found,
      host: FileLock.hostName)
    let data: Data
    do throws(InputError) {
      data = try CanonicalJSON.data(failure)
      try AtomicFile.write(data, to: "\(path)/failed-\(rank.number).json")
    } catch {
      FileHandle.standardError.write(Data("psimagenet: could not tell the other ranks: \(error)\n".utf8))
    }
  }
}

/// Calls from a thread of its own, again and again, until it is stopped.
private final class Heart: Sendable {
  private let isStopped = Mutex(false)

  func start(every seconds: Double, _ body: @escaping @Sendable (Int) -> Void) {
    Thread.detachNewThread { [self] in
      var beat = 0, next = ContinuousClock.now
      // A beat under the lock: after `stop` none is going on.
      while isStopped.withLock({ isStopped in
        if !isStopped, ContinuousClock.now >= next {
          body(beat)
          beat += 1
          next = .now + .seconds(seconds)
        }
        return !isStopped
      }) { usleep(50_000) }
    }
  }

  func stop() { isStopped.withLock { $0 = true } }
}
