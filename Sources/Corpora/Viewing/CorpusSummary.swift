import Host

/// What a corpus holds, in numbers.
public struct CorpusSummary: Codable, Hashable, Sendable {
  public var name: String
  public var height: Int
  public var width: Int
  public var pictures: [Split: Int]
  /// Runs a split.
  public var runs: [Split: Int]
  public var labels: [Label]
  public var sources: [CorpusManifest.Source]
  public var warnings: [String]

  public struct Label: Codable, Hashable, Sendable {
    public var name: String
    public var classes: [Class]
  }

  public struct Class: Codable, Hashable, Sendable {
    public var name: String
    public var pictures: [Split: Int]
    /// (experiment, run) pairs with this class; a class with one run cannot be told from its run.
    public var runs: Int
  }

  public init(_ corpus: Corpus) {
    var runs = Runs()
    for record in corpus.records { runs.add(record) }
    self.init(corpus.manifest, runs)
  }

  /// The summary of the corpus in a folder, whose records are read one after the other and not kept. Throws where the manifest or
  /// the table of records is not what it should be; shards are not looked at.
  public init(reading folder: String) throws(InputError) {
    let path = folder + "/manifest.json", table = folder + "/records.csv"
    let manifest = try CanonicalJSON.value(CorpusManifest.self, from: try AtomicFile.read(path), path: path)
    var runs = Runs()
    try RecordTable.forEach(inFileAt: table, sha256: manifest.recordsSHA256) { record throws(InputError) in runs.add(record) }
    self.init(manifest, runs)
  }

  /// The runs of each split and of each class of each label.
  private struct Runs {
    var all: [Split: Set<RunKey>] = [:]
    var byClass: [String: [String: Set<RunKey>]] = [:]

    mutating func add(_ record: Record) {
      all[record.split, default: []].insert(record.run)
      for (label, value) in record.labels { byClass[label, default: [:]][value, default: []].insert(record.run) }
    }
  }

  private init(_ manifest: CorpusManifest, _ found: Runs) {
    (name, height, width, pictures) = (manifest.name, manifest.height, manifest.width, manifest.counts)
    (sources, warnings) = (manifest.sources, manifest.warnings)
    runs = found.all.mapValues(\.count)
    labels = manifest.labels.keys.sorted().map { label in
      Label(
        name: label,
        classes: (manifest.classes[label] ?? []).map { value in
          Class(name: value, pictures: manifest.labels[label]?[value] ?? [:], runs: found.byClass[label]?[value]?.count ?? 0)
        })
    }
  }

  /// A label of more classes is not listed on a terminal.
  private static let longest = 60

  /// Aligned columns, for a terminal.
  public var text: String {
    var rows = [["", "train", "validation", "test", "all", "runs"]]
    rows.append(["pictures"] + cells(pictures) + ["\(runs.values.reduce(0, +))"])
    rows.append(["runs"] + cells(runs) + [""])
    for label in labels {
      rows.append([label.name, "", "", "", "", ""])
      guard label.classes.count <= CorpusSummary.longest else {
        rows.append(["  \(label.classes.count) classes, see \(Taxonomy.file)", "", "", "", "", ""])
        continue
      }
      for value in label.classes { rows.append(["  " + value.name] + cells(value.pictures) + ["\(value.runs)"]) }
    }
    var text = "\(name): \(height)×\(width)\n\n" + aligned(rows) + "\n"
    for source in sources {
      text += "source \(source.name): \(source.pictures) pictures of \(source.detector), \(source.files.count) files\n"
      text += "  \(source.transforms.joined(separator: " -> "))\n"
      for (reason, count) in source.dropped.sorted(by: { $0.key < $1.key }) { text += "  dropped \(count): \(reason)\n" }
      for (reason, count) in source.skipped.sorted(by: { $0.key < $1.key }) { text += "  skipped \(count): \(reason)\n" }
    }
    for warning in warnings { text += "warning: \(warning)\n" }
    return text
  }

  private func cells(_ counts: [Split: Int]) -> [String] {
    Split.allCases.map { "\(counts[$0, default: 0])" } + ["\(counts.values.reduce(0, +))"]
  }
}

/// The first column to the left, the others to the right.
func aligned(_ rows: [[String]]) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
  return rows.map { row in
    var line = ""
    for (column, cell) in row.enumerated() {
      let space = String(repeating: " ", count: widths[column] - cell.count)
      line += column == 0 ? cell + space : "  " + space + cell
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }.joined()
}
