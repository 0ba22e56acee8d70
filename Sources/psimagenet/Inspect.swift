import ArgumentParser
import Corpora
import Foundation
import Frames
import Host

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a raw file holds: container, detectors, shapes, events, runs, what was passed over; and propose a recipe for it.",
    discussion: """
      Reads XTC1, XTC2, HDF5, TIFF, EDF, CBF, SMV, MATLAB, PNG, JPEG, NPY and NPZ. Of a folder it proposes a recipe alone: files of one \
      ending are a source, names of folders in it become labels.

      Example: psimagenet inspect raw/xtcav/simxtcav-r0001-s00-c00.xtc
      Example: psimagenet inspect pictures --recipe > pictures.yaml; psimagenet build pictures.yaml --out pictures.corpus
      """)

  @Argument(help: "The file, or a folder of files.") var file: String
  @Flag(help: "List every array with its SHA-256, for comparing readers.") var arrays = false
  @Flag(help: "Print the recipe alone.") var recipe = false
  @OptionGroup var output: OutputOptions

  /// What is known about a file, and a recipe for it where a detector reads it.
  private struct Report: Encodable {
    var inspection: Inspection
    var recipe: String?

    enum CodingKeys: String, CodingKey { case recipe }

    func encode(to encoder: any Encoder) throws {
      try inspection.encode(to: encoder)
      var box = encoder.container(keyedBy: CodingKeys.self)
      try box.encodeIfPresent(recipe, forKey: .recipe)
    }
  }

  mutating func run() throws {
    guard !AtomicFile.isFolder(file) else {
      try output.print(["recipe": try RecipeProposal(forFolder: file).text]) { ($0["recipe"] ?? "").trimmingCharacters(in: .newlines) }
      return
    }
    let inspection = try Inspection(of: file, arrays: arrays, progress: output.progress)
    var report = Report(inspection: inspection), refusal: InputError?
    do throws(InputError) { report.recipe = try RecipeProposal(forFile: file, inspection: inspection).text } catch { refusal = error }
    if recipe {
      guard let text = report.recipe else { throw refusal ?? InputError(path: file, place: "", expected: "a recipe", found: "none") }
      FileHandle.standardOutput.write(Data(text.utf8))
    } else {
      try output.print(report) { report in
        guard let text = report.recipe else { return report.inspection.description + "\n  recipe        none: \(refusal?.description ?? "")" }
        return report.inspection.description + "\n\n" + text.trimmingCharacters(in: .newlines)
      }
    }
    // What could be read is shown; that not all could be is an error all the same.
    if let problem = inspection.problems.first {
      FileHandle.standardError.write(Data("psimagenet: \(file): \(problem.place): expected \(problem.expected), found \(problem.found)\n".utf8))
      throw ExitCode(InputError.Kind.malformed.rawValue)
    }
  }
}
