import CKernels

extension EngineThreads {
  /// Splits `0..<count` into one range for each core of the engine and runs `body` on all of them at once: on the threads that wait
  /// for the engine's next step anyway, where threads of any other kind would compete with them. Call from the engine's thread.
  public static func split(_ count: Int, _ body: @Sendable (Range<Int>) -> Void) {
    precondition(count >= 0, "\(count) pieces of work")
    typealias Body = @Sendable (Range<Int>) -> Void
    withoutActuallyEscaping(body) { body in
      unsafe withUnsafePointer(to: body) { pointer in
        unsafe psi_team_run(
          count, { begin, end, context in unsafe context!.assumingMemoryBound(to: Body.self).pointee(begin..<end) },
          UnsafeMutableRawPointer(mutating: pointer))
      }
    }
  }
}
