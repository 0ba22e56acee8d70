import ArgumentParser
import Cues
import Foundation
import Frames
import Host
import Tensors

struct Matrix: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The published matrix of low-level chirality: which operations betray a mirrored picture, on noise.",
    discussion: """
      Demosaicking, JPEG at quality 25 and both, at sides of 99, 100 and 112 and under random crops: 12 cells that are chance (50 %) or \
      certain (99 %), and the commutation residuals that say which. With --train a small network answers every cell; minutes on two cores.

      Then detectors: whether the outline of what a CSPAD (whole, or panel by panel), a time tool and an XTCAV camera measure betrays a \
      mirrored frame, and of any geometry file.

      Exit codes: 0 every cell as published or predicted, 1 one is not.

      Example: psimagenet matrix --train --geometry jungfrau=geometry.data --out matrix.json
      """)

  @Flag(help: "Train a network for every cell, not only the residuals.") var train = false
  @Flag(help: "576 pixels with crops of 512, as published, in place of 160 and 96.") var full = false
  @Option(help: "Steps a cell, at most.") var steps = MatrixTraining().steps
  @Option(help: "Only this cell: demosaic, jpeg or both and a side, such as jpeg-99 or both-160; or a detector.") var only: String?
  @Option(help: "name=FILE: a geometry of psana or CrystFEL as another detector; once per file.") var geometry: [String] = []
  @Option(help: "Write the result as JSON to this file.") var out: String?
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    var result = Result(
      matrix: try ChiralityMatrix(crop: full ? ChiralityMatrix.publishedCrop : ChiralityMatrix.smallCrop, progress: output.progress),
      detectors: try detectors())
    if let only {
      result.matrix.cells.removeAll { "\($0.operation.rawValue)-\($0.size.side)" != only }
      result.detectors.removeAll { $0.name != only }
      guard !result.matrix.cells.isEmpty || !result.detectors.isEmpty else { throw ValidationError("no cell \(only); cells are named like jpeg-99") }
    }
    if train {
      var training = MatrixTraining()
      training.steps = steps
      for index in result.matrix.cells.indices { try training.run(&result.matrix.cells[index], progress: output.progress) }
      for index in result.detectors.indices { try result.detectors[index].train(training, progress: output.progress) }
    }
    if let out { try AtomicFile.write(CanonicalJSON.data(result), to: out) }
    try output.print(result) { $0.matrix.text + "\n" + $0.detectors.map(\.text).joined(separator: "\n") }
    guard result.matrix.cells.allSatisfy({ $0.predictsChirality == $0.isChiral && $0.agrees != false }),
      result.detectors.allSatisfy({ $0.agrees != false })
    else { throw ExitCode(1) }
  }

  private struct Result: Codable {
    var matrix: ChiralityMatrix
    var detectors: [DetectorCell]
  }

  /// A CSPAD at its nominal places, one of its panels, the two full-frame cameras, and what the command line names.
  private func detectors() throws -> [DetectorCell] {
    let sensors = Geometry.cspadSensors.enumerated().map { index, sensor in
      Geometry.Node(parent: "CSPAD:V2", object: "SENS2X1:V1", index: index, x: 1000 * sensor.x, y: 1000 * sensor.y, rotationZ: sensor.rotation)
    }
    let whole = Geometry(nodes: sensors + [Geometry.Node(parent: "IP", object: "CSPAD:V2")], path: "nominal CSPAD")
    return try [
      DetectorCell("cspad", geometry: .psana(whole)),
      DetectorCell("cspad-panel", panelOf: CSPAD.self, rows: 185, columns: 388),
      DetectorCell("timetool", measured: .init(repeating: 1, [1024, 1024])),
      DetectorCell("xtcav", measured: .init(repeating: 1, [1024, 1024])),
    ] + geometry.map { text in
      guard let separator = text.firstIndex(of: "=") else { throw ValidationError("a geometry is given as name=FILE, not \(text)") }
      let path = String(text[text.index(after: separator)...])
      return try DetectorCell(String(text[..<separator]), geometry: DetectorGeometry(readingFrom: path))
    }
  }
}
