import ArgumentParser
import Foundation
import Host
import Publishing
import Training

struct Publish: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish a trained backbone as a checked folder that timm, torchvision and PSImageNet load.",
    discussion: """
      The folder appears when everything in it has been read back and the network has reproduced its reference activations. Publishing \
      the same run again gives the same bytes; a date is written only from --date or SOURCE_DATE_EPOCH.

      Examples:
        psimagenet publish Checkpoints/runs/flip --name xtcav-flip-resnet18
        psimagenet publish --check Checkpoints/xtcav-flip-resnet18
      """)

  enum Source: String, EnumerableFlag {
    case best, last
    static func help(for value: Source) -> ArgumentHelp? {
      value == .best ? "The checkpoint of the best validation accuracy." : "The last checkpoint."
    }
  }

  @Argument(help: ArgumentHelp("A run folder.", valueName: "run")) var runFolder: String?
  @Option(help: "Name of the published folder.") var name: String?
  @Option(help: "Where published folders stand.") var checkpoints = "Checkpoints"
  @Flag var source = Source.best
  @Option(help: "Where the corpus lies, if not where the recipe says.") var corpus: String?
  @Option(help: "SPDX identifier of the terms for the weights.") var license = "Apache-2.0"
  @Option(help: "File with the full text of those terms.") var licenseText: String?
  @Option(help: "Revision of the program's source, for the record.") var commit: String?
  @Option(help: "Date, for the record.") var date: String?
  @Flag(help: "Replace an older folder of this name.") var replace = false
  @Option(help: "Check an existing published folder instead.") var check: String?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (check == nil) == (runFolder != nil), check != nil || name != nil else {
      throw ValidationError("give a run folder and --name, or --check and a published folder")
    }
  }

  mutating func run() throws {
    let model: PublishedModel
    if let check {
      model = try PublishedModel(reading: check)
      try model.verify()
    } else if let runFolder, let name {
      var publication = Publication(machine: try .current())
      publication.source = source == .best ? .best : .last
      publication.corpus = corpus
      publication.license = try WeightsLicense(identifier: license, textFile: licenseText)
      publication.commit = commit
      publication.date = try date ?? Self.sourceDate(ProcessInfo.processInfo.environment)
      publication.replaces = replace
      model = try publication.publish(RunFolder(runFolder), as: name, in: checkpoints)
    } else {
      preconditionFailure("validate() asks for one of the two")
    }
    try output.print(model.summary) { $0.text }
  }

  /// SOURCE_DATE_EPOCH, seconds since 1970, as a date in UTC.
  /// Source: reproducible-builds.org/specs/source-date-epoch.
  static func sourceDate(_ environment: [String: String]) throws -> String? {
    guard let text = environment["SOURCE_DATE_EPOCH"] else { return nil }
    guard let seconds = Int64(text), seconds >= 0 else { throw ValidationError("SOURCE_DATE_EPOCH is \"\(text)\", not a count of seconds") }
    return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }
}
