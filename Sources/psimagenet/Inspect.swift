import ArgumentParser
import Foundation
import Frames
import Host

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a raw file holds: container, detectors, shapes, events, runs, and what was passed over.",
    discussion: "Reads XTC1, XTC2, HDF5, PNG, JPEG, NPY and NPZ.\n\nExample: psimagenet inspect raw/xtcav/simxtcav-r0001-s00-c00.xtc")

  @Argument(help: "The file.") var file: String
  @Flag(help: "List every array with its SHA-256, for comparing readers.") var arrays = false
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let inspection = try Inspection(of: file, arrays: arrays, progress: output.progress)
    try output.print(inspection) { $0.description }
    // What could be read is shown; that not all could be is an error all the same.
    if let problem = inspection.problems.first {
      FileHandle.standardError.write(Data("psimagenet: \(file): \(problem)\n".utf8))
      throw ExitCode(InputError.Kind.malformed.rawValue)
    }
  }
}
