import Host

/// Several plans, each for a folder of its own: what one command simulates.
public struct SimulationCampaign: Codable, Hashable, Sendable {
  /// Folder -> plan.
  public var plans: [String: SimulationPlan]

  public init(_ plans: [String: SimulationPlan]) { self.plans = plans }

  /// A mapping of folder names to plans.
  public init(from decoder: any Decoder) throws { plans = try decoder.singleValueContainer().decode([String: SimulationPlan].self) }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    try box.encode(plans)
  }

  /// Writes every plan into its folder below `folder`, in the order of the names; returns the files written.
  @discardableResult
  public func write(to folder: String, progress: ProgressHandler? = nil) throws(InputError) -> [String] {
    for (name, plan) in plans.sorted(by: { $0.key < $1.key }) {
      let isName = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
      guard isName else {
        throw InputError(path: "simulation plan", place: name, expected: "a folder name of letters, digits, - and _", found: "\"\(name)\"")
      }
      // Before hours of work: a mistake in the last plan counts as much as one in the first.
      try plan.validate()
    }
    var files: [String] = []
    for (name, plan) in plans.sorted(by: { $0.key < $1.key }) {
      files += try SimulatedRuns.write(plan, to: "\(folder)/\(name)") { progress?(Progress("simulate \(name)", done: $0.done, total: $0.total, note: $0.note)) }
    }
    return files
  }
}
