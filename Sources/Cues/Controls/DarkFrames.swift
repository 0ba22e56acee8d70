import Corpora

/// Frames taken without beam, of the validation and test splits: they hold what calibration leaves of pedestals, gains, hot pixels and seams.
///
/// Where each picture is to be found among a batch, darks found among darks are told apart by the readout alone.
public struct DarkFrames: TaskControl {
  public static let name = "dark frames"
  public static let meaning = "it reads a fixed pattern that calibration left behind"
  public static let remedies: [Remedy] = [.darkSubtraction, .templateProjection]
  public static let findingViews: (meaning: String, remedies: [Remedy]) = (
    "pictures without beam are told apart, by readout noise or by a pattern of their run", [.alikeBatches, .darkSubtraction]
  )

  public init() {}

  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    guard !subject.darkIsAnAnswer else {
      return ControlFinding(DarkFrames.self, .notApplicable, "Every dark frame has a class of its own kind: to answer it is to say that it is dark.")
    }
    guard subject.darks.count > 0 else {
      return ControlFinding(DarkFrames.self, .undecided, "The corpus has no dark frames outside of the training split: a fixed pattern is not excluded.")
    }
    var finding = try subject.mustBeChance(DarkFrames.self, subject.darks)
    guard finding.verdict == .passed else { return finding }
    // Of which detectors and how many dark sets there is too little for that.
    let lacking = subject.held.everySource.compactMap { source -> String? in
      let own = subject.darks.of(source), sets = Set(own.runs).count
      guard sets < AuditAcceptance.darkSets else { return nil }
      return (source.isEmpty ? "" : "\(source): ") + (own.count == 0 ? "no dark frames" : sets == 1 ? "one dark set" : "\(sets) dark sets")
    }
    if !lacking.isEmpty {
      finding.verdict = .undecided
      finding.statement = "At chance, but of too few dark sets outside of the training split (\(lacking.joined(separator: ", "))): "
        + "a fixed pattern is excluded with \(AuditAcceptance.darkSets) of each source."
    }
    return finding
  }

  /// Records of frames without beam.
  public static func select(_ records: [Record]) -> [Record] { records.filter { $0.labels["beam"] == "dark" } }
}
