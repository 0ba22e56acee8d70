/// The classes of a corpus as a tree: `taxonomy.csv`, one line a node, with the pictures of all classes below it.
///
/// A class that is a path (`xtcav/lasing/head`) stands below its first levels (`xtcav`, `xtcav/lasing`); others are roots.
public struct Taxonomy: Hashable, Sendable {
  public static let file = "taxonomy.csv"

  public struct Node: Hashable, Sendable {
    public var label: String
    /// Levels joined by `/`.
    public var path: String
    /// 1 for a root.
    public var level: Int
    /// Whether pictures carry just this path, or a rule declares it.
    public var isClass: Bool
    /// Classes at and below the node.
    public var classes: Int
    public var pictures: [Split: Int]
    /// (experiment, run) pairs at and below the node.
    public var runs: Int
  }

  /// By label, then by path, parents before children.
  public let nodes: [Node]

  /// What is known of some records, taken up one after the other.
  struct Counts {
    fileprivate struct Tally { var isClass = false, classes = 0, pictures: [Split: Int] = [:], runs: Set<RunKey> = [] }
    fileprivate var tallies: [String: [String: Tally]] = [:]
    fileprivate var classes: [String: Set<String>] = [:]

    mutating func add(_ record: Record) {
      for (label, value) in record.labels {
        classes[label, default: []].insert(value)
        for path in Taxonomy.ancestry(of: value) {
          tallies[label, default: [:]][path, default: Tally()].pictures[record.split, default: 0] += 1
          tallies[label, default: [:]][path, default: Tally()].runs.insert(record.run)
        }
      }
    }
  }

  /// The classes that `records` carry and those that rules declare (label -> classes).
  public init(_ records: [Record], declared: [String: [String]] = [:]) {
    var counts = Counts()
    for record in records { counts.add(record) }
    self.init(counts, declared: declared)
  }

  init(_ counts: Counts, declared: [String: [String]]) {
    var tallies = counts.tallies
    let classes = counts.classes.merging(declared.mapValues { Set($0) }) { $0.union($1) }
    for (label, values) in classes {
      for value in values {
        for path in Taxonomy.ancestry(of: value) { tallies[label, default: [:]][path, default: Counts.Tally()].classes += 1 }
        tallies[label]?[value]?.isClass = true
      }
    }
    nodes = tallies.sorted { $0.key < $1.key }.flatMap { label, paths in
      paths.map { path, tally in
        Node(
          label: label, path: path, level: path.count { $0 == LabelPath.separator } + 1, isClass: tally.isClass,
          classes: tally.classes, pictures: tally.pictures, runs: tally.runs.count)
      }.sorted { Taxonomy.levels($0.path).lexicographicallyPrecedes(Taxonomy.levels($1.path)) }
    }
  }

  /// `a/b/c` -> `a`, `a/b`, `a/b/c`.
  static func ancestry(of path: String) -> [String] {
    let levels = levels(path)
    return levels.indices.map { levels[...$0].joined(separator: String(LabelPath.separator)) }
  }

  private static func levels(_ path: String) -> [Substring] { path.split(separator: LabelPath.separator, omittingEmptySubsequences: false) }

  /// The file.
  public var text: String {
    var text = CSVTable.line(["label", "path", "level", "is_class", "classes"] + Split.allCases.map(\.rawValue) + ["all", "runs"])
    for node in nodes {
      let counts = Split.allCases.map { node.pictures[$0, default: 0] }
      text += CSVTable.line(
        [node.label, node.path, "\(node.level)", node.isClass ? "1" : "0", "\(node.classes)"]
          + (counts + [counts.reduce(0, +), node.runs]).map { "\($0)" })
    }
    return text
  }
}
