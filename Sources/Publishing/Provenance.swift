import Corpora
import Engine
import Foundation
import Host
import Training

/// `provenance.json`: from what, by what and how a published model was made.
public struct Provenance: Codable, Hashable, Sendable {
  public struct CorpusOrigin: Codable, Hashable, Sendable {
    public var name: String
    public var manifestSHA256: String
    public var recipeSHA256: String
    /// Every source with the checksum of each raw file.
    public var sources: [CorpusManifest.Source]
  }

  /// The checkpoint of the run folder that was published.
  public struct Origin: Codable, Hashable, Sendable {
    public var file: String
    public var sha256: String
    /// Steps behind it, of those that the recipe asks for.
    public var step: Int
  }

  public var tool: String
  public var corpus: CorpusOrigin
  public var checkpoint: Origin
  /// With every default written out; `corpus` is the corpus's name, since folders mean nothing elsewhere.
  public var recipe: TrainingRecipe
  public var seed: UInt64
  /// The machine that published and verified; the run does not record the one that trained.
  public var publishedOn: Machine
  /// SHA-256 of the run's `cues.json`, where there is one.
  public var cuesSHA256: String?
  /// The source revision, where it was given.
  public var commit: String?
  /// Where it was given; left out, so that publishing again gives the same bytes.
  public var date: String?
}

/// What computes: processor, threads and libraries.
public struct Machine: Codable, Hashable, Sendable {
  /// The processor's name; `nil` where the system does not tell.
  public var processor: String?
  /// Of the linear algebra library.
  public var threads: Int
  public var oneDNN: String
  public var openBLAS: String

  public init(processor: String?, threads: Int, oneDNN: String, openBLAS: String) {
    (self.processor, self.threads, self.oneDNN, self.openBLAS) = (processor, threads, oneDNN, openBLAS)
  }

  /// This machine.
  public static func current(processorList path: String = "/proc/cpuinfo") throws(InputError) -> Machine {
    var processor: String?
    if FileManager.default.fileExists(atPath: path) {
      let lines = String(decoding: try AtomicFile.read(path), as: UTF8.self).split(separator: "\n")
      processor = lines.first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
    return Machine(processor: processor, threads: BLAS.threadCount, oneDNN: DNNL.version, openBLAS: BLAS.configuration)
  }
}

extension Checkpoint.Description {
  /// The recipe as it ran, with every setting written out, on a corpus known by name and from weights known by their file's
  /// name.
  func resolvedRecipe(corpus name: String, path: String) throws(InputError) -> TrainingRecipe {
    var resolved = recipe
    resolved.task = try .of(recipe.task.task(path: path))
    resolved.backbone = try .of(recipe.backbone.backbone(path: path))
    resolved.optimizer = Choice(name: recipe.optimizer.name, settings: try .of(recipe.optimizer.optimizer(path: path)))
    resolved.corpus = name
    resolved.initialWeights = recipe.initialWeights.map { $0.nameInPath }
    resolved.precision = PrecisionChoice(precision.precision)
    return resolved
  }
}
