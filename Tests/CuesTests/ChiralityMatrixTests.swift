import Cues
import Evaluation
import Foundation
import Host
import Pretexts
import Tensors
import Testing

/// The residuals alone say what 12 trained networks of the paper found.
@Test func theResidualsPredictThePublishedMatrix() throws {
  let matrix = try ChiralityMatrix()
  #expect(matrix.cells.count == 12 && matrix.cells.count { $0.isChiral } == 8)
  for cell in matrix.cells {
    #expect(
      cell.predictsChirality == cell.isChiral, "\(cell.operation) \(cell.size.name): \(cell.residual.relative), glide \(cell.residual.relativeGlide ?? -1)")
  }
}

/// Twelve cells and five detectors, of which two have an outline with handedness (overlaps of psana's default geometries: facts of the
/// detectors, 0.72 and 0.71 before pictures of 65 pixels round them).
@Test func theMatrixHasItsDetectorCells() throws {
  let cells = try DetectorCell.usual()
  #expect(cells.map(\.name) == ["cspad", "cspad-panel", "jungfrau-4m", "timetool", "xtcav"])
  #expect(cells.map(\.isChiral) == [true, false, true, false, false])
  #expect(abs(cells[0].overlap - 0.7) < 0.06 && abs(cells[2].overlap - 0.714) < 0.01)
}

/// A trained network finds an outline with handedness, and of one without it nothing.
@Test func aTrainedDetectorCellAgreesWithItsOutline() throws {
  var training = MatrixTraining()
  (training.steps, training.width, training.testing) = (60, 4, 1024)
  let half = Tensor<Float>([33, 33], (0..<33 * 33).map { $0 % 33 < 12 ? 0 : 1 })
  for (outline, isChiral) in [(half, true), (Tensor<Float>(repeating: 1, [33, 33]), false)] {
    var cell = try DetectorCell("test", measured: outline, side: 33)
    #expect(cell.isChiral == isChiral && cell.agrees == nil)
    try cell.train(training)
    let accuracy = try #require(cell.accuracy)
    // 1024 fresh pictures: four standard errors are 0.0625.
    #expect(isChiral ? accuracy.value > 0.97 && cell.agrees == true : abs(accuracy.value - 0.5) < 0.0625, "\(accuracy)")
    #expect(accuracy.count == 1024)
  }
}

/// 50±2 or at least 97, as published.
@Test(arguments: [(0.481, false, true), (0.479, false, false), (0.519, false, true), (0.521, false, false), (0.97, true, true), (0.96, true, false), (0.97, false, false)])
func aCellAgreesWithinThePublishedBounds(value: Double, isChiral: Bool, agrees: Bool) throws {
  let half = Tensor<Float>([33, 33], (0..<33 * 33).map { $0 % 33 < 12 && isChiral ? 0 : 1 })
  var cell = try DetectorCell("test", measured: half, side: 33)
  cell.accuracy = Score(metric: "accuracy", value: value, standardError: 0.005, count: 10_000)
  #expect(cell.agrees == agrees)
}

@Test func theRecipeOfTheMatrixHasTheDefaultsAndRefusesTheImpossible() throws {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  #expect(try MatrixRecipe.reading(root + "/Datasets/chirality-matrix.yaml") == MatrixRecipe())
  let path = FileManager.default.temporaryDirectory.path + "/matrix-\(UUID().uuidString).yaml"
  defer { try? FileManager.default.removeItem(atPath: path) }
  for (text, place) in [("steps: 1", "steps"), ("learningRate: 0", "learningRate"), ("crops: small", "crops"), ("crop: large", "crop")] {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: InputError.self) { try MatrixRecipe.reading(path) }
    #expect(error?.place.contains(place) == true && error?.path == path)
  }
  try Data("crop: published\ncropSteps: 10\ngeometries: {j: some/file.data}\n".utf8).write(to: URL(fileURLWithPath: path))
  let recipe = try MatrixRecipe.reading(path)
  #expect(recipe.crop == ChiralityMatrix.publishedCrop && recipe.training.cropSteps == 10 && recipe.training.steps == MatrixTraining().steps)
  #expect(recipe.geometries["j"] == FileManager.default.temporaryDirectory.path + "/some/file.data")
}

/// Malvar's filters reproduce what is constant or linear in all colours, away from the edge; by hand at one pixel.
@Test func demosaickingKeepsPlanesAndFollowsTheFilters() throws {
  let plane = Tensor<Float>([8, 10], (0..<80).map { Float($0 / 10) * 3 + Float($0 % 10) })
  let grey = try BayerMosaic.demosaic([plane, plane, plane])
  for colour in grey {
    for row in 2..<6 { for column in 2..<8 { #expect(abs(colour.elements[row * 10 + column] - plane.elements[row * 10 + column]) < 1e-4) } }
  }
  // One red pixel of 8 at (2,2) of a dark picture.
  var red = Tensor<Float>(repeating: 0, [7, 7])
  red.elements[2 * 7 + 2] = 8
  let black = Tensor<Float>(repeating: 0, [7, 7]), seen = try BayerMosaic.demosaic([red, black, black])
  #expect(seen[0].elements[2 * 7 + 2] == 8 && seen[1].elements[2 * 7 + 2] == 4 && seen[2].elements[2 * 7 + 2] == 6)
  // Its right neighbour is green in a red row: 4/8 of it is red there; two below it, −1/8 of it is green.
  #expect(seen[0].elements[2 * 7 + 3] == 4 && seen[1].elements[4 * 7 + 2] == -1 && seen[2].elements[3 * 7 + 3] == 0)
}
