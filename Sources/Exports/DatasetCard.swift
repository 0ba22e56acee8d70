import Corpora

/// `README.md`: what the data set is, with the front matter of data-set hubs.
struct DatasetCard {
  private let d: ExportDescription

  init(_ description: ExportDescription) { d = description }

  /// A name in letters, digits and `-`.
  static func identifier(_ name: String) -> String {
    let plain = name.unicodeScalars.map { $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) ? Character($0) : "-" }
    let text = String(plain).split(separator: "-").joined(separator: "-")
    return text.isEmpty ? "corpus" : text
  }

  var text: String { frontMatter + body }

  private var frontMatter: String {
    var lines = ["---", "pretty_name: \(quoted(d.title))", "license: \(d.terms.license.lowercased())"]
    if d.set.label != nil { lines += ["task_categories:", "- image-classification"] }
    lines += ["size_categories:", "- \(sizeCategory)", "tags:"]
    lines += ["x-ray", "detector", "light-source", "physics"].map { "- \($0)" }
    if let patterns {
      lines += ["configs:", "- config_name: default"]
      if format == .imagefolder { lines.append("  drop_labels: true") }
      lines.append("  data_files:")
      for split in Split.allCases where d.count(split) > 0 {
        lines += ["  - split: \(split.rawValue)", "    path: \(quoted(patterns(split)))"]
      }
    }
    return (lines + ["---", "", ""]).joined(separator: "\n")
  }

  private var format: ExportFormat { d.format }

  private var patterns: ((Split) -> String)? {
    switch format {
    case .webdataset: { "data/\(d.set.name)-\($0.rawValue)-*.tar" }
    case .imagefolder: { "\($0.rawValue)/**" }
    case .nexus: nil
    }
  }

  private var sizeCategory: String {
    let bounds = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M")]
    return bounds.first { d.set.records.count < $0.0 }?.1 ?? "10M<n<100M"
  }

  /// A YAML text in double quotes.
  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }

  private var body: String {
    let manifest = d.set.corpus.manifest
    var text = "# \(d.title)\n\n\(d.summary)\n\n| | pictures | runs |\n|---|---|---|\n"
    for split in Split.allCases where d.count(split) > 0 {
      text += "| \(split.rawValue) | \(d.count(split)) | \(Set(d.set.records.filter { $0.split == split }.map(\.run)).count) |\n"
    }
    switch manifest.splitBy {
    case .frame: text += "\nSplit by frame: neighbouring shots of one run stand in different splits; scores say little about new runs.\n"
    default: text += "\nNo run is in two splits.\n"
    }
    text += "\n## What is in the files\n\n\(files)\n"
    text += "`records.csv` has a line for every picture: where it lies here, where it came from, and all labels. `corpus/` holds the recipe, "
    text += "manifest and taxonomy of the corpus that this was exported from. `sha256sum -c SHA256SUMS` checks every file.\n"
    text += "\n## From raw counts to value\n\n"
    for source in manifest.sources { text += "- \(source.name) (\(source.detector), \(source.pictures) pictures): \(source.transforms.joined(separator: " -> "))\n" }
    text += labels
    if !manifest.warnings.isEmpty { text += "\n## Warnings\n\n" + manifest.warnings.map { "- \($0)\n" }.joined() }
    text += "\n## Terms\n\nLicense: [\(d.terms.license)](\(d.terms.licenseURL)). Version \(d.terms.version)"
    text += d.terms.date.map { ", \($0)" } ?? ""
    text += d.terms.creator.map { ". By \($0)" } ?? ""
    text += ".\n" + (d.terms.citation.map { "\nCite as: \($0)\n" } ?? "")
    return text + "\nMade by \(manifest.tool).\n"
  }

  private var labels: String {
    var text = "\n## Labels\n\n"
    for name in d.set.corpus.labels {
      let classes = d.set.corpus.classes(of: name), shown = classes.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
      text += "- `\(name)`: \(classes.count) classes: \(shown)\(classes.count > 20 ? ", … (corpus/taxonomy.csv)" : "")\n"
    }
    return text
  }

  private var files: String {
    let set = d.set
    switch format {
    case .webdataset:
      var text = """
        tar shards for WebDataset. A sample is named by the id of its record and has

        - `.npy`: float32 [\(set.height), \(set.width)], tone-mapped signal; 0 where nothing was measured
        - `.weight.npy`: uint8 [\(set.height), \(set.width)], measured share of the pixel in units of 1/255; 0 is a gap
        - `.png`: 8-bit preview, for eyes: \(set.scale.words)
        - `.json`: provenance and labels

        """
      if let label = set.label { text += "- `.cls`: number of the class of `\(label)`, from 0 in the order below\n" + classList }
      return text + "\nSamples follow one another as they were recorded: shuffle while reading.\n\n    webdataset.WebDataset(\"data/\(set.name)-train-000000.tar\").decode()\n    datasets.load_dataset(\"webdataset\", data_files={\"train\": \"data/\(set.name)-train-*.tar\"})\n"
    case .imagefolder:
      return """
        `<split>/<class>/<id>.png`, 8-bit grey: \(set.scale.words). The class is that of `\(set.label ?? "")`; folders are named as below. \
        `metadata.csv` of each split has the class's own name in column `label`.

        """ + classList + "\n    torchvision.datasets.ImageFolder(\"train\")\n    datasets.load_dataset(\"imagefolder\", data_dir=\".\", drop_labels=True)\n"
    case .nexus:
      return """
        HDF5 files that are CXI and NeXus at once.

        - `/entry_1/data_1/data`: float32 [N, \(set.height), \(set.width)], tone-mapped signal; 0 where nothing was measured
        - `/entry_1/data_1/mask`: uint32, 1 where nothing was measured (CXI's bit 0, invalid pixel)
        - `/entry_1/data_1/weight`: uint8, measured share of the pixel in units of 1/255
        - `/entry_1/label/<name>`, `/entry_1/record/*`, `/LCLS/*`: labels, provenance and event identity, one value a picture

            h5py.File("data/\(set.name)-train-000000.h5")["entry_1/data_1/data"][0]

        """
    }
  }

  private var classList: String {
    let folders = ClassFolders(d.set.classes)
    let lines = d.set.classes.enumerated().prefix(200).map { number, name in
      "| \(number) | \(name.replacing("|", with: "\\|")) | \(folders.names[name] ?? "") |\n"
    }
    let rest = d.set.classes.count > 200 ? "\nand \(d.set.classes.count - 200) more, in the order of their names.\n" : ""
    return "\n| number | class | folder |\n|---|---|---|\n" + lines.joined() + rest
  }
}
