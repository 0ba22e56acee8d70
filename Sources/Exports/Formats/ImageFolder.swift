import Corpora
import Foundation
import Frames
import Host

/// `<split>/<class>/<id>.png` in 8-bit grey on one scale, and `<split>/metadata.csv` with the true class names, for `torchvision`
/// and `datasets`. A class of more than 4096 pictures is spread over folders `000`, `001`, … below its own.
struct ImageFolder {
  private let set: ExportSet
  private let folders: ClassFolders
  static let perFolder = 4096

  init(_ set: ExportSet) {
    self.set = set
    folders = ClassFolders(set.classes)
  }

  func write(_ split: Split, _ records: [Record], to folder: String, _ progress: ProgressHandler) throws(InputError) -> [ExportFile] {
    let label = set.label ?? "", labels = set.corpus.labels
    var totals: [String: Int] = [:], counts: [String: Int] = [:]
    for record in records { totals[record.labels[label] ?? "", default: 0] += 1 }
    var metadata = CSVTable.line(["file_name", "label", "id", "experiment", "run", "source", "detector", "coverage"] + labels.filter { $0 != label }.map { "label_\($0)" })
    var files: [ExportFile] = []
    // Every class is a folder in every split, so that torchvision gives it the same number everywhere.
    for name in folders.names.values { try AtomicFile.makeFolder("\(folder)/\(split.rawValue)/\(name)") }
    try set.forEach(records, split.rawValue, progress) { record, image in
      PNG.encode(grey: set.scale.grey(image), rows: set.height, columns: set.width)
    } _: { _, record, png throws(InputError) in
      let category = record.labels[label] ?? ""
      var place = folders.names[category] ?? ""
      let number = counts[category, default: 0]
      counts[category] = number + 1
      if totals[category, default: 0] > ImageFolder.perFolder {
        let part = String(number / ImageFolder.perFolder)
        place += "/" + String(repeating: "0", count: max(0, 3 - part.count)) + part
        if number % ImageFolder.perFolder == 0 { try AtomicFile.makeFolder("\(folder)/\(split.rawValue)/\(place)") }
      }
      place += "/\(record.id).png"
      guard FileManager.default.createFile(atPath: "\(folder)/\(split.rawValue)/\(place)", contents: Data(png)) else {
        throw InputError(.inputOutput, path: "\(folder)/\(split.rawValue)/\(place)", place: "write", expected: "room on disk", found: "none")
      }
      metadata += CSVTable.line(
        [
          place, category, record.id, record.event.experiment, "\(record.event.run)", record.source, record.detector, "\(record.coverage)",
        ] + labels.filter { $0 != label }.map { record.labels[$0] ?? "" })
      files.append(ExportFile(path: "\(split.rawValue)/\(place)", split: split, places: [(record.id, record.id)]))
    }
    try AtomicFile.write(Data(metadata.utf8), to: "\(folder)/\(split.rawValue)/metadata.csv")
    return files
  }
}
