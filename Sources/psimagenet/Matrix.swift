import ArgumentParser
import Cues
import Foundation
import Frames
import Host

struct Matrix: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The published matrix of low-level chirality: which operations betray a mirrored picture, on noise.",
    discussion: """
      Demosaicking, JPEG at quality 25 and both, at sides of 99, 100 and 112 and under random crops: 12 cells that are chance (50 %) or \
      certain (99 %), and the commutation residuals that say which. With --train a small network answers every cell; half an hour on two \
      cores, nearly all of it for the random crops.

      Then detectors: whether the outline of what a CSPAD (whole, or panel by panel), a Jungfrau 4M, a time tool and an XTCAV camera \
      measure betrays a mirrored frame, and of any geometry file.

      A recipe sets how the networks are trained; Datasets/chirality-matrix.yaml has every key with its default.

      Exit codes: 0 every cell as published or predicted, 1 one is not.

      Example: psimagenet matrix Datasets/chirality-matrix.yaml --train --out matrix.json
      """)

  @Argument(help: "A recipe of the experiment (YAML).") var recipe: String?
  @Flag(help: "Train a network for every cell, not only the residuals.") var train = false
  @Flag(help: "576 pixels with crops of 512, as published, in place of 160 and 96.") var full = false
  @Option(help: "Only this cell: demosaic, jpeg or both and a side, such as jpeg-99 or both-160; or a detector.") var only: String?
  @Option(help: "name=FILE: a geometry of psana or CrystFEL as another detector; once per file.") var geometry: [String] = []
  @Option(help: "Write the result as JSON to this file.") var out: String?
  @OptionGroup var output: OutputOptions

  mutating func run() throws {
    let recipe = try self.recipe.map { path in try MatrixRecipe.reading(path) } ?? MatrixRecipe()
    var result = Result(
      matrix: try ChiralityMatrix(crop: full ? ChiralityMatrix.publishedCrop : recipe.crop, progress: output.progress),
      detectors: try DetectorCell.usual() + recipe.geometryCells() + geometry.map(cell))
    if let only {
      result.matrix.cells.removeAll { "\($0.operation.rawValue)-\($0.size.side)" != only }
      result.detectors.removeAll { $0.name != only }
      guard !result.matrix.cells.isEmpty || !result.detectors.isEmpty else { throw ValidationError("no cell \(only); cells are named like jpeg-99") }
    }
    if train {
      for index in result.matrix.cells.indices { try recipe.training.run(&result.matrix.cells[index], progress: output.progress) }
      for index in result.detectors.indices { try result.detectors[index].train(recipe.training, progress: output.progress) }
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

  private func cell(_ text: String) throws -> DetectorCell {
    guard let separator = text.firstIndex(of: "=") else { throw ValidationError("a geometry is given as name=FILE, not \(text)") }
    let path = String(text[text.index(after: separator)...])
    return try DetectorCell(String(text[..<separator]), geometry: DetectorGeometry(readingFrom: path))
  }
}
