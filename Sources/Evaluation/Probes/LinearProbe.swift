import Tensors

/// Multinomial logistic regression on standardised features, its L2 strength chosen on runs kept aside.
///
/// The features are standardised on the training part. Each strength is fitted, strongest first, to the training part less
/// a validation part; the one of least balanced cross-entropy there is fitted to the whole training part. Where the
/// training part has more than one group, no group is in both parts. A fit that does not converge is no candidate; a final fit
/// that does not converge gives way to the next stronger penalty, with a note, and throws when there is none.
public struct LinearProbe: Probe {
  public static let name = "linear"

  /// λ in units of the mean loss, see `LogisticRegression`.
  public var strengths: [Double]
  /// The share of training examples that validate the choice of λ.
  public var validationShare: Double
  /// Whether each class weighs the same in the fit.
  public var balanced: Bool
  public var minimizer: LBFGS

  public init() { self.init(strengths: [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5]) }

  /// Traps unless there is a strength, all are positive, and the validation share lies in (0, 1).
  public init(strengths: [Double], validationShare: Double = 0.25, balanced: Bool = true, minimizer: LBFGS = LBFGS()) {
    precondition(!strengths.isEmpty && strengths.allSatisfy { $0 > 0 }, "L2 strengths are positive, got \(strengths)")
    precondition(validationShare > 0 && validationShare < 1, "a validation share lies in (0, 1), got \(validationShare)")
    self.strengths = strengths
    self.validationShare = validationShare
    self.balanced = balanced
    self.minimizer = minimizer
  }

  /// One strength that was tried.
  public struct Candidate: Codable, Hashable, Sendable {
    public let strength: Double
    /// On the validation part.
    public let crossEntropy: Double
    public let converged: Bool
  }

  /// A fitted probe and how its strength was found.
  public struct Fit: Sendable {
    public let model: LogisticRegression
    /// Strongest penalty first; empty where only one strength was offered.
    public let candidates: [Candidate]
    public let notes: [String]
  }

  /// Fits to `train`; `seed` shuffles what validates. Throws `ProbeError` for one class, too few examples or no convergence.
  public func fit(_ train: Embeddings, seed: UInt64) throws(ProbeError) -> Fit {
    guard train.count >= 2 else { throw .tooFew(part: "train", count: train.count, needed: 2) }
    try train.checkFinite("train")
    let standardization = Standardization(fittedOn: train.vectors)
    func fitted(_ strength: Double) throws(ProbeError) -> LogisticRegression {
      try LogisticRegression(fittedTo: train, strength: strength, balanced: balanced, standardization: standardization, minimizer: minimizer)
    }
    var candidates: [Candidate] = [], notes: [String] = [], chosen = strengths[0]
    if strengths.count > 1 {
      let split = try ValidationSplit(of: train, share: validationShare, seed: seed)
      if let note = split.note { notes.append(note) }
      candidates = try tried(on: split, of: train)
      let eligible = candidates.filter(\.converged)
      guard var best = eligible.first else {
        throw .notConverged(strength: chosen, gradientNorm: .nan, status: "no strength of the grid converged")
      }
      // Strictly less: of equal strengths the strongest penalty stays.
      for candidate in eligible where candidate.crossEntropy < best.crossEntropy { best = candidate }
      chosen = best.strength
      let failed = candidates.filter { !$0.converged }.map { "\($0.strength)" }
      if !failed.isEmpty { notes.append("no convergence, so no candidate, at L2 strength " + failed.joined(separator: ", ")) }
    }
    // All of the training part can be separable where a part of it was not, and rounding then stops a weak penalty short:
    // the next stronger one is taken, and said.
    var model = try fitted(chosen), skipped: [String] = []
    for strength in strengths.sorted() where strength > chosen && !model.outcome.converged {
      skipped.append("\(chosen)")
      chosen = strength
      model = try fitted(strength)
    }
    guard model.outcome.converged else {
      throw .notConverged(strength: chosen, gradientNorm: model.outcome.gradientNorm, status: model.outcome.status)
    }
    if !skipped.isEmpty { notes.append("no convergence on the whole training part at L2 strength \(skipped.joined(separator: ", ")): \(chosen) taken instead") }
    return Fit(model: model, candidates: candidates, notes: notes)
  }

  public func predictions(train: Embeddings, test: Embeddings, seed: UInt64) throws -> Predictions {
    let fit = try fit(train, seed: seed)
    return Predictions(labels: fit.model.predictions(test.vectors), notes: fit.notes)
  }

  private func tried(on split: ValidationSplit, of train: Embeddings) throws(ProbeError) -> [Candidate] {
    let fitting = train.subset(split.fitting), validating = train.subset(split.validating)
    let standardization = Standardization(fittedOn: fitting.vectors)
    var last: LogisticRegression?
    var candidates: [Candidate] = []
    for strength in strengths.sorted(by: >) {
      let model = try LogisticRegression(
        fittedTo: fitting, strength: strength, balanced: balanced, standardization: standardization, minimizer: minimizer,
        startingFrom: last)
      guard let loss = model.balancedCrossEntropy(on: validating) else {
        throw .tooFew(part: "validation", count: 0, needed: 1)
      }
      candidates.append(Candidate(strength: strength, crossEntropy: loss, converged: model.outcome.converged))
      last = model
    }
    return candidates
  }
}
