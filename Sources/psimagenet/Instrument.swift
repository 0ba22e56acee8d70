import ArgumentParser
import Foundation
import Frames
import Host
import Instruments
import Reports

struct InstrumentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instrument", abstract: "Read recorded runs with a classical analysis: a table of numbers a shot, and pictures.",
    discussion: """
      xtcav: lasing and X-ray pulse of streaked bunches. timetool: X-ray arrival by the step in the laser stripe. peaks: Bragg spots.

      The table joins to a corpus as labels (`table:`, by run, seconds, nanoseconds and fiducial). Settings are JSON over the usual \
      ones; --settings '{}' --show-settings prints them.

      Example: psimagenet instrument xtcav raw/xtcav/*.xtc --calibration raw/xtcav/calib --out xtcav.csv --picture xtcav.png
      """)

  @Argument(help: "\(InstrumentCatalog.all.map { $0.name }.joined(separator: ", ")).") var instrument: String
  @Argument(help: "Files of recorded runs.") var files: [String] = []
  @Option(help: "psana's folder of calibration constants.") var calibration: String?
  @Option(help: "Common mode: none, histogram, nonBonded, or psana's parameters such as 1,25,25,100.") var commonMode = "none"
  @Option(help: "The detector, where it is not the instrument's usual one.") var detector: String?
  @Option(help: "Only payloads whose source contains this.") var source: String?
  @Option(help: "JSON of the settings that differ from the usual.") var settings = "{}"
  @Flag(help: "Print all settings and end.") var showSettings = false
  @Option(help: "Write the table to this CSV file; to standard output where left out.") var out: String?
  @Option(help: "Write a picture of the first shots with beam to this PNG file.") var picture: String?
  @Option(help: "Shots on the picture.") var shots = 6
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let choice = InstrumentChoice(
      name: instrument, settings: try CanonicalJSON.value(JSONValue.self, from: Data(settings.utf8), path: "--settings"))
    let chosen = try choice.instrument(path: "command line")
    if showSettings {
      FileHandle.standardOutput.write(try CanonicalJSON.data(try JSONValue.of(chosen)) + Data("\n".utf8))
      return
    }
    guard !files.isEmpty else { throw ValidationError("name at least one file") }
    let mode = try CommonMode(parsing: commonMode)
    guard (1...64).contains(shots) else { throw ValidationError("1 to 64 shots fit on a picture") }
    let read = RunShots(
      files: files, detector: detector ?? chosen.detector, source: source, calibration: calibration.map { CalibrationFolder($0) },
      commonMode: mode)
    let table = try ReadingTable(chosen, of: read, sketching: picture == nil ? 0 : shots, progress: output.progress)
    if let out { try AtomicFile.write(Data(table.csv.utf8), to: out) }
    if let picture {
      let sketches = table.readings.compactMap(\.sketch)
      guard !sketches.isEmpty else {
        throw InputError(.missing, path: picture, place: "picture", expected: "a shot that could be measured", found: "none among \(table.readings.count)")
      }
      try AtomicFile.write(Data(SketchSheet.picture(of: sketches).png()), to: picture)
    }
    if out == nil && !output.json {
      FileHandle.standardOutput.write(Data(table.csv.utf8))
      return
    }
    let written = out
    try output.print(table.summary) { counts in
      (counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" } + (written.map { ["table: \($0)"] } ?? [])).joined(separator: "\n")
    }
  }
}
