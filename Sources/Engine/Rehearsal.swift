import Graphs
import Tensors

extension Lowering {
  /// One way to lower the current node; adds its steps to the lowering that it is given.
  struct Candidate {
    let name: String
    let lower: (Lowering) throws(EngineError) -> Void
  }

  /// Lowers the current node by the candidate that `choice` says; the first is the rule's. One that oneDNN does not
  /// implement for these shapes is passed over. Throws when none is left.
  func lower(_ problem: String, from inputs: [GraphBuilder.ID], _ candidates: [Candidate]) throws(EngineError) {
    switch choice {
    case .fixed: try lowerFirst(of: candidates)
    case .timed(let timings):
      let key = "\(timings.machine), \(EngineThreads.count) threads, \(problem)"
      if let known = timings.winner(of: key), let candidate = candidates.first(where: { $0.name == known }) {
        return try lowerFirst(of: [candidate] + candidates)
      }
      guard candidates.count > 1 else { return try lowerFirst(of: candidates) }
      var best: (time: Double, candidate: Candidate)?
      for candidate in candidates {
        guard let time = try rehearse(candidate, inputs) else { continue }
        if time < best?.time ?? .infinity { best = (time, candidate) }
      }
      guard let best else { return try lowerFirst(of: candidates) }
      timings.remember(best.candidate.name, of: key)
      hasTimed = true
      try best.candidate.lower(self)
    }
  }

  /// The fastest of `options`, or the first that oneDNN implements where nothing is timed.
  func fastest<Option>(
    _ problem: String, _ options: [Option], _ lower: @escaping (Option, Lowering) throws(EngineError) -> Void
  ) throws(EngineError) -> Option {
    var chosen: Option?
    let stage = Lowering(rehearsing: self, choice: choice)
    try stage.lower(problem, from: [], options.map { option in
      .init(name: "\(option)") { stage throws(EngineError) in
        try lower(option, stage)
        chosen = option
      }
    })
    hasTimed = hasTimed || stage.hasTimed
    return chosen!
  }

  private func lowerFirst(of candidates: [Candidate]) throws(EngineError) {
    var refusal: EngineError?
    for candidate in candidates {
      do throws(EngineError) { return try candidate.lower(self) } catch {
        guard error.isUnimplemented else { throw error }
        refusal = error
      }
    }
    throw refusal ?? .unsupported("\(node): no kernel to choose from")
  }

  /// Milliseconds of one candidate alone with nothing in the caches, the least of five runs; `nil` where oneDNN does not implement it.
  private func rehearse(_ candidate: Candidate, _ inputs: [GraphBuilder.ID]) throws(EngineError) -> Double? {
    let stage = Lowering(rehearsing: self, choice: .fixed)
    for input in Set(inputs).sorted() { stage.place(input, at: stage.newBuffer(location(of: input).descriptor)) }
    do throws(EngineError) { try candidate.lower(stage) } catch {
      guard error.isUnimplemented else { throw error }
      return nil
    }
    let runner = try Runner(stage, layout: Weights([Parameter]()), memoryLimit: .max), clock = ContinuousClock()
    var times: [Double] = [], none: [Float] = []
    for _ in 0..<6 {
      cacheSweep.run()
      let start = clock.now
      _ = try runner.run([:], Weights([Parameter]()), &none, outputs: [:])
      times.append((clock.now - start) / .milliseconds(1))
    }
    return times.dropFirst().min()
  }
}
