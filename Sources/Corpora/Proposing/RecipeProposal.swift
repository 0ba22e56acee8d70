import Foundation
import Frames
import Host
import Tensors

/// A recipe to begin with, from what raw files themselves show: `psimagenet build` takes its text as it stands.
public struct RecipeProposal: Sendable {
  /// YAML with comments.
  public let text: String
  /// Containers that tell neither experiment nor run.
  private static let anonymous: Set<String> = ["png", "jpeg", "tiff", "edf", "cbf", "smv", "matlab", "npy", "npz"]

  /// - Parameter inspection: of the same file.
  public init(forFile path: String, inspection: Inspection) throws(InputError) {
    let place = URL(fileURLWithPath: path).standardizedFileURL.path
    let part = try Self.part(path, pattern: place, labels: [])
    let hasRuns = inspection.runs.count > 1
    text = try Self.text(
      name: Self.name(path.nameInPath), of: place, [part],
      split: hasRuns
        ? ["# Few runs: a split may stay empty.", "split: {allowEmpty: true}"]
        : ["# One run cannot be split: all of it goes to train. With more runs, leave this line out.", "split: {train: 1, validation: 0, test: 0}"])
  }

  /// Of a folder of files, or of folders of files, whose names then are classes.
  public init(forFolder path: String) throws(InputError) {
    let place = URL(fileURLWithPath: path).standardizedFileURL.path
    var parts: [Part] = [], refusals: [InputError] = []
    for group in try FolderGroup.groups(of: place) {
      do throws(InputError) {
        let labels = group.isNested ? ["{name: folder, folder: 1}"] : []
        var part = try Self.part(group.first, pattern: place + (group.isNested ? "/*" : "") + "/*" + group.suffix, labels: labels)
        part.fileCount = group.count
        parts.append(part)
      } catch {
        // Notes and tables lie beside data; they are named where nothing else can be read.
        refusals.append(error)
      }
    }
    guard !parts.isEmpty else {
      throw refusals.first
        ?? InputError(.missing, path: path, place: "", expected: "data files in this folder or the folders in it", found: "none")
    }
    text = try Self.text(
      name: Self.name(place.nameInPath), of: place, parts,
      split: ["# Few runs: a split may stay empty.", "split: {allowEmpty: true}"])
  }

  /// Files that are read alike.
  private struct Part {
    var pattern: String
    var container: String
    var dataset: String?
    var layout: String?
    /// Arrays of an HDF5 file that are not taken.
    var otherDatasets: [String] = []
    var sources: [SourceProposal]
    var others: [String]
    /// Flow mappings of label rules.
    var labels: [String]
    /// Of a folder; 1 for a file alone.
    var fileCount = 1
  }

  private static func part(_ path: String, pattern: String, labels: [String]) throws(InputError) -> Part {
    let reader = try RunFile.open(path)
    let (found, others) = try SourceProposal.sources(of: reader, path: path)
    guard !found.isEmpty else {
      throw InputError(
        path: path, place: "", expected: "a payload that a detector reads",
        found: others.isEmpty ? "no payloads" : others.joined(separator: ", "))
    }
    var part = Part(
      pattern: pattern, container: type(of: reader).container, dataset: nil, layout: nil, sources: found, others: others, labels: labels)
    if let reader = reader as? HDF5Reader {
      part.layout = reader.layout
      if reader.datasets.count == 1 { part.dataset = reader.datasetPath }
      part.otherDatasets = reader.imageDatasets.filter { reader.skipped["dataset \($0)"] != nil }
      if reader.layout == "amo86815 ImgMLearn" { part.labels += try beamLabels(path) }
    }
    return part
  }

  /// The labels of the XTCAV machine-learning files: -1 marks shots that must not be used.
  private static func beamLabels(_ path: String) throws(InputError) -> [String] {
    let file = try HDF5File(opening: path)
    var labels: [String] = []
    if try file.kind(of: "/lasing") == .dataset { labels.append("{name: lasing, dataset: /lasing, values: {\"0\": \"off\", \"1\": \"on\"}}") }
    for (name, dataset) in [("energyPeaks", "/acq.enPeaksLabel"), ("timePeaks", "/acq.peaksLabel")] where try file.kind(of: dataset) == .dataset {
      labels.append("{name: \(name), dataset: \(dataset), values: {\"-1\": drop, \"0\": \"0\", \"1\": \"1\", \"2\": \"2\", \"3\": \"3\"}}")
    }
    try file.close()
    return labels
  }

  private static func text(name: String, of place: String, _ parts: [Part], split: [String]) throws(InputError) -> String {
    let first = parts[0].sources[0], longest = Double(max(first.rows, first.columns, 1)), factor = min(1, 129 / longest)
    // Odd extents have a pixel on the mirror axis.
    func odd(_ extent: Int) -> Int { max(1, (Int((Double(extent) * factor).rounded()) + 1) / 2 * 2 - 1) }
    let width = odd(first.columns)
    // Shots are no pixels: as many rows as there are, whatever becomes of columns.
    let height = first.isLine ? (first.rows + 1) / 2 * 2 - 1 : odd(first.rows)
    var lines = [
      "# What \(quoted(place)) holds, proposed by psimagenet inspect. Check names, labels, tone and split; other keys: Docs/Guide.md.",
      "name: \(quoted(name))", "image: {height: \(height), width: \(width)}", "minimumCoverage: 0.02",
    ]
    lines += split
    lines.append("sources:")
    var names: Set<String> = []
    for part in parts {
      for source in part.sources { lines += Self.lines(part, source, like: (height, width), &names) }
      for other in part.others { lines.append("  # No detector reads \(other).") }
      for other in part.otherDatasets.prefix(8) { lines.append("  # Not taken: \(quoted(other)); a source with it as its dataset would read it.") }
      if part.otherDatasets.count > 8 { lines.append("  # Not taken: \(part.otherDatasets.count - 8) more arrays.") }
    }
    let text = lines.joined(separator: "\n") + "\n"
    // A proposal that the builder refuses is a mistake of this file.
    _ = try CorpusRecipe(yaml: text, path: "proposed recipe")
    return text
  }

  private static func lines(_ part: Part, _ source: SourceProposal, like image: (height: Int, width: Int), _ names: inout Set<String>) -> [String] {
    let title = source.payload.source.split { "/:".contains($0) }.suffix(2).joined(separator: "-")
    var name = Self.name(title.isEmpty ? source.detector : title), number = 2
    while !names.insert(name).inserted { (name, number) = ("\(Self.name(title.isEmpty ? source.detector : title))-\(number)", number + 1) }
    let tone = source.tone
    var lines: [String] = []
    if let layout = part.layout { lines.append("  # Layout: \(layout).") }
    lines += ["  - name: \(name)", "    files: [\(quoted(part.pattern))]"]
    if let dataset = part.dataset { lines.append("    dataset: \(quoted(dataset))") }
    if part.container == "npz" {
      lines.append("    key: \(quoted(source.payload.source))")
    } else if part.sources.count > 1 {
      lines.append("    source: \(quoted(source.payload.source))")
    }
    if let subframe = source.subframe { lines.append("    subframe: \(subframe)") }
    lines.append("    detector: \(source.detector)")
    if source.shape[0] > 1 {
      lines.append("    # With constants: calibration: the calib folder, geometry: calibration, view: assembled.")
      lines.append("    view: panels")
    }
    if source.isLine { lines += ["    # Rows of consecutive shots, time downwards.", "    stack: \(source.stack)"] }
    // A picture of quite another form would be a line between margins.
    let form = Double(source.rows * image.width) / Double(source.columns * image.height)
    if source.isLine || form > 4 || form < 0.25 { lines.append("    fit: stretch") }
    if anonymous.contains(part.container), part.fileCount >= 15 {
      lines += ["    # Neighbours stay together; pictures of other days are the better test.", "    run: {blockOf: 5}"]
    }
    if source.hasNonFinite { lines.append("    nonFinite: mask") }
    lines.append("    tone: {map: asinh, scale: \(tone.scale)\(tone.offset == 0 ? "" : ", offset: \(tone.offset)")}")
    lines.append("    labels:")
    lines += (part.labels.isEmpty ? ["{name: kind, constant: \(source.detector)}"] : part.labels).map { "      - \($0)" }
    return lines
  }

  /// Letters, digits, - and _ of a text.
  private static func name(_ text: String) -> String {
    let name = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" }
    let trimmed = String(name).split(separator: "-").joined(separator: "-")
    return trimmed.isEmpty ? "source" : trimmed
  }

  /// A YAML text in double quotes.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n").replacing("\t", with: "\\t") + "\""
  }
}

/// Files of one ending in a folder, or in the folders in it.
private struct FolderGroup {
  var isNested: Bool
  /// With its point; empty for names without one.
  var suffix: String
  var first: String
  var count: Int

  /// The groups, largest first.
  static func groups(of folder: String) throws(InputError) -> [FolderGroup] {
    var groups: [String: FolderGroup] = [:]
    func add(_ path: String, isNested: Bool) {
      let ending = (path as NSString).pathExtension, suffix = ending.isEmpty ? "" : ".\(ending)"
      let key = "\(isNested)\(suffix)"
      if groups[key] == nil { groups[key] = FolderGroup(isNested: isNested, suffix: suffix, first: path, count: 0) }
      groups[key]?.count += 1
    }
    for name in try children(folder) {
      let path = folder + "/" + name
      guard AtomicFile.isFolder(path) else {
        add(path, isNested: false)
        continue
      }
      for inner in try children(path) where !AtomicFile.isFolder(path + "/" + inner) { add(path + "/" + inner, isNested: true) }
    }
    return groups.values.sorted { ($0.count, $1.first) > ($1.count, $0.first) }
  }

  private static func children(_ folder: String) throws(InputError) -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted() } catch {
      throw InputError(.inputOutput, path: folder, place: "list", expected: "a readable folder", found: error.localizedDescription)
    }
  }
}
