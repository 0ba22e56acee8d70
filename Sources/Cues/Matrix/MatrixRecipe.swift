import Corpora
import Foundation
import Frames
import Host

/// How the matrix of low-level chirality is reproduced, as written in YAML; what is left out is as usual.
public struct MatrixRecipe: Decodable, Hashable, Sendable {
  public var training = MatrixTraining()
  /// The cells under random crops; the three whole sizes are those of the table.
  public var crop = ChiralityMatrix.smallCrop
  /// Other detectors beside the usual ones: a name, and a geometry file of psana or CrystFEL.
  public var geometries: [String: String] = [:]

  public init() {}

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case crop, steps, cropSteps, patience, batch, width, learningRate, testing, seed, geometries
  }

  private enum Crop: String, Codable { case small, published }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder), usual = MatrixTraining()
    crop = try box.value(.crop, or: Crop.small) == .small ? ChiralityMatrix.smallCrop : ChiralityMatrix.publishedCrop
    training.steps = try box.value(.steps, or: usual.steps)
    training.cropSteps = try box.value(.cropSteps, or: usual.cropSteps)
    training.patience = try box.value(.patience, or: usual.patience)
    training.batch = try box.value(.batch, or: usual.batch)
    training.width = try box.value(.width, or: usual.width)
    training.learningRate = try box.value(.learningRate, or: usual.learningRate)
    training.testing = try box.value(.testing, or: usual.testing)
    training.seed = try box.value(.seed, or: usual.seed)
    geometries = try box.value(.geometries, or: [:])
    let counts: [(CodingKeys, Int, ClosedRange<Int>)] = [
      (.steps, training.steps, 2...1_000_000), (.cropSteps, training.cropSteps, 2...1_000_000), (.patience, training.patience, 1...1_000_000),
      (.batch, training.batch, 1...4096), (.width, training.width, 1...1024), (.testing, training.testing, 1...10_000_000),
    ]
    for (key, count, range) in counts where !range.contains(count) {
      throw box.refused(key, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(count)")
    }
    guard training.learningRate > 0, training.learningRate <= 1 else {
      throw box.refused(.learningRate, expected: "above 0, at most 1", found: "\(training.learningRate)")
    }
  }

  /// Reads a file; unknown keys and impossible values are refused by name. Geometry files are relative to its folder.
  public static func reading(_ path: String) throws(InputError) -> MatrixRecipe {
    var recipe = try YAMLText.value(MatrixRecipe.self, from: AtomicFile.read(path), path: path)
    let folder = path.folderOfPath
    recipe.geometries = recipe.geometries.mapValues { $0.hasPrefix("/") || folder.isEmpty ? $0 : folder + "/" + $0 }
    return recipe
  }

  /// The cells of `geometries`, in the order of their names.
  public func geometryCells() throws -> [DetectorCell] {
    try geometries.sorted { $0.key < $1.key }.map { try DetectorCell($0.key, geometry: DetectorGeometry(readingFrom: $0.value)) }
  }
}
