import Corpora
import Foundation
import Frames
import Host
import Tensors
import Testing
import Training

/// A folder with a corpus of 20 pictures of 33×33 in each split, removed with it: a bright corner, and classes by its width.
///
/// `drift` brightens each shot of a run against the one before; `relief` is a fixed pattern that is finer towards the lower right, so that
/// every place looks different; `variety` is a wave of another length in every shot.
final class TinyCorpus {
  let folder: String
  var corpus: String { folder + "/corpus" }

  init(side: Int = 33, drift: Double = 0, relief: Double = 0, variety: Double = 0, trainingRuns: Int = 1, isAssembled: Bool = false, hasValidation: Bool = true) throws {
    folder = NSTemporaryDirectory() + "training-\(UUID().uuidString)"
    for run in 1...trainingRuns + 2 {
      try AtomicFile.makeFolder("\(folder)/raw/run\(run)")
      let file = try HDF5File(creating: "\(folder)/raw/run\(run)/shots.h5")
      var values: [Float] = [], random = Philox(seed: UInt64(run))
      for shot in 0..<20 {
        let width = shot % 2 == 0 ? 9 : 15
        for row in 0..<33 {
          for column in 0..<33 {
            let isBright = row < width && column < 9
            let pattern = relief * sin(0.02 * Double(row * row)) * cos(0.015 * Double(column * column)) + drift * Double(shot)
              + variety * sin((0.2 + 0.05 * Double(shot)) * Double(shot % 2 == 0 ? row : column) + Double(shot))
            values.append(Float(random.normal((isBright ? 3 : Double(row + column) * 0.02) + pattern, 0.3)))
          }
        }
      }
      try file.write(values, shape: [20, 33, 33], to: "/images")
      try file.write((0..<20).map { Int64($0 % 2) }, shape: [20], to: "/label")
      try file.close()
    }
    try AtomicFile.write(Data("DET:V1 0 MTRX:33:33:100:100 0 0 0 0 0 0 0 0 0 0\n".utf8), to: folder + "/geometry.data")
    let validation = hasValidation ? "validation: ['t:\(trainingRuns + 1)'], test: ['t:\(trainingRuns + 2)']" : "test: ['t:\(trainingRuns + 1)', 't:\(trainingRuns + 2)']"
    let training = (1...trainingRuns).map { "'t:\($0)'" }.joined(separator: ", ")
    let recipe = try CorpusRecipe(
      yaml: """
        name: tiny
        seed: 5
        image: {height: \(side), width: \(side)}
        split: {train: 0.34, validation: \(hasValidation ? 0.33 : 0), test: \(hasValidation ? 0.33 : 0.66), allowEmpty: \(!hasValidation), runs: {train: [\(training)], \(validation)}}
        sources:
          - name: shots
            files: ["raw/run*/shots.h5"]
            dataset: /images
            detector: picture
            experiment: t
            run: folder
            fit: stretch\(isAssembled ? "\n    geometry: geometry.data\n    view: assembled" : "")
            labels: [{name: kind, dataset: /label, values: {0: "off", 1: wide}}]
        """)
    try CorpusBuilder.build(recipe, relativeTo: folder, to: corpus)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Settings of a run of 12 steps; `change` adds to them.
  func recipe(_ change: (inout TrainingRecipe) -> Void = { _ in }) -> TrainingRecipe {
    var recipe = TrainingRecipe()
    recipe.corpus = corpus
    recipe.backbone = Choice(name: "resnet10", settings: .object(["width": .integer(4)]))
    recipe.schedule = Schedule(.cosine, warmupSteps: 2)
    recipe.batch = 8
    recipe.steps = 12
    recipe.validateEvery = 4
    recipe.checkpointEvery = 5
    // The same on every machine.
    recipe.precision = .float32
    change(&recipe)
    return recipe
  }
}

/// The error that `body` throws.
func inputError(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> InputError? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as InputError {
    return error
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
  return nil
}
