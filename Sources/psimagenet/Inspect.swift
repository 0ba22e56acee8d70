import ArgumentParser
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
    try output.print(Inspection(of: file, arrays: arrays, progress: output.progress)) { $0.description }
  }
}
