import Graphs

/// Where the time of one run of a plan goes.
public struct OperationReport: Codable, Hashable, Sendable {
  /// All steps of one kind of node on one kernel.
  public struct Kind: Codable, Hashable, Sendable {
    public let operation: String
    public let kernel: String
    public let steps: Int
    public let milliseconds: Double
  }

  /// One step of the plan; a node may have several, such as a change of layout before its kernel.
  public struct Step: Codable, Hashable, Sendable {
    public let node: String
    public let kernel: String
    public let milliseconds: Double
    /// Of the node's longest step, where the node's operations count: see `MultiplyAddCounting`.
    public let gigaflopsPerSecond: Double?
  }

  /// Sum over all steps; more than a run, as each step is waited for.
  public let milliseconds: Double
  /// Longest first.
  public let kinds: [Kind]
  public let steps: [Step]

  /// - Parameter profile: of `Plan.profile`: nodes are named by operation and index in the graph, `Convolution 12`.
  init(_ profile: [(node: String, kernel: String, milliseconds: Double)], _ program: Program) {
    milliseconds = profile.reduce(0) { $0 + $1.milliseconds }
    kinds = Dictionary(grouping: profile) { [$0.node.split(separator: " ").dropLast().joined(separator: " "), $0.kernel] }
      .map { Kind(operation: $0[0], kernel: $0[1], steps: $1.count, milliseconds: $1.reduce(0) { $0 + $1.milliseconds }) }
      .sorted { ($0.milliseconds, $1.operation, $1.kernel) > ($1.milliseconds, $0.operation, $0.kernel) }
    let longest = Dictionary(profile.map { ($0.node, $0.milliseconds) }, uniquingKeysWith: max)
    steps = profile.map { entry in
      var rate: Double?
      if entry.milliseconds == longest[entry.node], let index = entry.node.split(separator: " ").last.flatMap({ Int($0) }) {
        let operations = 2 * program.multiplyAdds(ofNode: index)
        if operations > 0 { rate = Double(operations) / entry.milliseconds / 1e6 }
      }
      return Step(node: entry.node, kernel: entry.kernel, milliseconds: entry.milliseconds, gigaflopsPerSecond: rate)
    }.sorted { ($0.milliseconds, $1.node) > ($1.milliseconds, $0.node) }
  }
}
