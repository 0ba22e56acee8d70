import Corpora
import Foundation
import Host
import Networks
import Publishing
import Tensors
import TestSupport
import Testing
import Training

/// Three runs of two kinds of noise as NPY stacks, a corpus of them, and a training run of three steps.
final class TinyRun: Sendable {
  static let side = 33
  let scratch: Scratch
  let recipe: TrainingRecipe
  let folder: RunFolder

  /// Residual network, antisymmetric flip head.
  static let flip = Result { try TinyRun(backbone: .of(ResNet10(width: 4)), task: Choice(name: "flip")) }
  /// Fully connected layers, a head of two logits, labels of the corpus.
  static let kinds = Result { try TinyRun(backbone: .of(LeNet5()), task: Choice(name: "frame-class")) }

  init(backbone: Choice, task: Choice) throws {
    scratch = Scratch()
    for run in 1...3 {
      for (kind, level) in [("dim", 2.0), ("bright", 9.0)] {
        var random = Philox(seed: 11, UInt64(run)).keyed(kind)
        try AtomicFile.write(TinyRun.npy(count: 6) { Float(random.normal(level, 1)) }, to: scratch("raw/run\(run)/\(kind).npy"))
      }
    }
    let sources = ["dim", "bright"].map { kind in
      """
        - name: \(kind)
          files: ["raw/run*/\(kind).npy"]
          detector: picture
          experiment: t
          run: folder
          fit: stretch
          labels: [{name: kind, constant: \(kind)}]
          \(kind == "bright" ? "tone: {map: asinh, scale: 3, offset: 1}" : "")
      """
    }
    let corpus = try CorpusRecipe(
      yaml: """
        name: noise
        image: {height: \(TinyRun.side), width: \(TinyRun.side)}
        tone: {map: linear, scale: 2}
        split: {train: 0.34, validation: 0.33, test: 0.33, runs: {train: ['t:1'], validation: ['t:2'], test: ['t:3']}}
        sources:
        \(sources.joined(separator: "\n"))
        """)
    try CorpusBuilder.build(corpus, relativeTo: scratch.path, to: scratch("corpus"))
    var recipe = TrainingRecipe()
    recipe.name = "tiny"
    recipe.corpus = scratch("corpus")
    recipe.backbone = backbone
    recipe.task = task
    recipe.batch = 4
    recipe.steps = 3
    recipe.schedule = Schedule(.constant)
    recipe.validateEvery = 1
    recipe.precision = .float32
    self.recipe = recipe
    folder = RunFolder(scratch("run"))
    _ = try Trainer(recipe, folder: folder.path).run()
  }

  /// `[count,S,S]` of f32 in NumPy's format 1.0.
  static func npy(count: Int, _ value: () -> Float) -> Data {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count), \(side), \(side)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, UInt8(header.utf8.count), 0]) + Data(header.utf8)
    for _ in 0..<count * side * side { withUnsafeBytes(of: value().bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    return data
  }
}

extension Publication {
  /// With a machine that is the same everywhere.
  static var plain: Publication {
    Publication(machine: Machine(processor: "a processor", threads: 1, oneDNN: "oneDNN", openBLAS: "OpenBLAS"))
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
