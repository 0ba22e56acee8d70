import Foundation

extension CorpusAudit {
  /// The report for a terminal.
  public var text: String {
    var text = "\(corpus): \(pictures) pictures, \(passed ? "PASSED" : "FAILED")\n\n"
    let width = Gate.Name.allCases.map(\.rawValue.count).max() ?? 0
    for gate in gates {
      let name = gate.name.rawValue + String(repeating: " ", count: width - gate.name.rawValue.count)
      text += "\(name)  \(gate.verdict == .failed ? "FAILED" : gate.verdict.rawValue): \(gate.statement)\n"
      guard gate.verdict == .failed || gate.verdict == .undecided else { continue }
      for finding in gate.findings.prefix(5) { text += String(repeating: " ", count: width + 4) + finding + "\n" }
      if gate.count > 5 { text += String(repeating: " ", count: width + 4) + "… \(gate.count) in all\n" }
    }
    if let worst = worstProbes.first { text += "\nhighest probe: \(worst.sentence)\n" }
    for (label, reason) in unprobed.sorted(by: { $0.key < $1.key }) { text += "label \(label) not probed: \(reason)\n" }
    for source in sources {
      text += String(
        format: "\n%@ (%@): mask and mirror image overlap by %.3f, best registered %.3f, both keep %.0f %%\n", source.source, source.detector,
        source.mirrorOverlap, source.registeredMirrorOverlap, 100 * source.keptByBoth)
      text += "  " + source.darkSentence + "\n"
      if let search = duplicates.first(where: { $0.source == source.source }) {
        text += String(format: "  noise %.3g a pixel, by ", search.noise) + search.noiseOrigin + "\n"
      }
    }
    return text
  }

  /// The probes, the nearest to its limit first.
  public var worstProbes: [LabelProbe] {
    probes.sorted { ($1.lower - $1.limit, $0.label) < ($0.lower - $0.limit, $1.label) }
  }
}

extension SourceFacts {
  /// What the darks say, in words.
  public var darkSentence: String {
    guard let dark else { return "fewer than four dark frames: no floor for flips is known" }
    func words(_ estimate: FlipFloor.Estimate?) -> String {
      estimate.map { String(format: "%.3f (at most %.3f)", $0.accuracy, $0.upper) } ?? "unknown"
    }
    return "flip floor by \(dark.darks) darks of \(dark.runs) runs: \(words(dark.newRuns)) on new runs, \(words(dark.sameRun)) on known ones"
  }
}
