import Corpora
import Foundation
import Graphs
import Host
import Tensors
import Training

/// Turns a run into a folder for others: weights under the names that they expect, what the numbers mean, where they come
/// from, and the means to check all of it.
///
/// The folder appears by one rename, after it has been read back from disk by `PublishedModel` and has passed every check.
public struct Publication: Sendable {
  public enum Source: String, Sendable, CaseIterable {
    /// The checkpoint with the best validation accuracy.
    case best
    case last
  }

  public var source = Source.best
  /// Where the corpus lies now; `nil`: where the recipe says.
  public var corpus: String?
  public var license = WeightsLicense.apache2
  /// The revision of the program's source, for the record.
  public var commit: String?
  /// When, for the record; nothing here looks at a clock.
  public var date: String?
  /// Whether an older published folder of this name may be replaced.
  public var replaces = false
  public var machine: Machine

  public init(machine: Machine) { self.machine = machine }

  /// Writes `<checkpoints>/<name>` and returns it as read back.
  ///
  /// Throws, leaving whatever was there, when a file of the run or its corpus is missing or does not fit, when a folder of that
  /// name exists and `replaces` is false, or when what was written does not pass the checks of `PublishedModel`.
  @discardableResult
  public func publish(_ run: RunFolder, as name: String, in checkpoints: String) throws -> PublishedModel {
    guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.allSatisfy({ isAlphanumeric($0) || "-_.".utf8.contains($0) })
    else { throw InputError(path: checkpoints, place: "name", expected: "letters, digits, - _ and . after a letter or digit", found: "\"\(name)\"") }
    let folder = "\(checkpoints)/\(name)", building = folder + ".publishing", old = folder + ".replaced"
    try restore(old, to: folder)
    let stands = FileManager.default.fileExists(atPath: folder)
    if stands { try checkReplaceable(folder) }
    try remove(building)
    var model: PublishedModel
    do {
      try write(run, as: name, to: building)
      try ChecksumList.write(in: building)
      model = try PublishedModel(reading: building)
      try model.verify()
      if stands { try AtomicFile.move(folder, to: old) }
      do throws(InputError) { try AtomicFile.move(building, to: folder) } catch {
        try restore(old, to: folder)
        throw error
      }
    } catch {
      try remove(building)
      throw error
    }
    try remove(old)
    model.folder = folder
    return model
  }

  /// What a killed replacement left: the old folder under another name and none in its place.
  private func restore(_ old: String, to folder: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: old) else { return }
    if FileManager.default.fileExists(atPath: folder) { try remove(old) } else { try AtomicFile.move(old, to: folder) }
  }

  private func checkReplaceable(_ folder: String) throws(InputError) {
    guard replaces else {
      throw InputError(path: folder, place: "", expected: "nothing there (or ask to replace it)", found: "something")
    }
    guard FileManager.default.fileExists(atPath: "\(folder)/\(ModelFile.checksums)") else {
      throw InputError(path: folder, place: "", expected: "a published folder to replace", found: "something without \(ModelFile.checksums)")
    }
  }

  private func remove(_ folder: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    do { try FileManager.default.removeItem(atPath: folder) } catch {
      throw InputError(.inputOutput, path: folder, place: "remove", expected: "a removable folder", found: error.localizedDescription)
    }
  }

  private func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}

extension Publication {
  private func write(_ run: RunFolder, as name: String, to folder: String) throws {
    let path = source == .best ? run.best : run.last
    let checkpoint = try Checkpoint(reading: path), description = checkpoint.description
    let corpus = try openCorpus(of: description, run: run)
    let recipe = try description.resolvedRecipe(corpus: corpus.manifest.name, path: path)
    // The card's few lines of Python, by which others make the input, know nothing of them.
    guard description.scaling.templates == nil else {
      throw InputError(
        path: path, place: "description.scaling.templates", expected: "a run without projectsTemplate, which publish can describe",
        found: "templates that are taken out of every input")
    }
    let meaning = ModelConfiguration.Meaning(
      format: ModelConfiguration.Meaning.format, name: name, backbone: recipe.backbone, task: recipe.task,
      classes: description.classes, scaling: description.scaling, side: description.side, step: description.step,
      license: license.identifier, sources: try sources(corpus))
    let graph = try meaning.graph(path: path), configuration = ModelConfiguration(meaning, graph)

    guard FileManager.default.fileExists(atPath: run.metrics) else {
      throw InputError(.missing, path: run.metrics, place: "", expected: "the metrics of the run", found: "nothing there")
    }
    let metrics = try run.metrics(), cuesPath = run.path + "/cues.json"
    let cues = FileManager.default.fileExists(atPath: cuesPath) ? try AtomicFile.read(cuesPath) : nil
    var reports: [(path: String, value: JSONValue)] = []
    for path in [cuesPath, run.path + "/audit.json", run.path + "/audit-best.json"] where FileManager.default.fileExists(atPath: path) {
      reports.append((path, try CanonicalJSON.value(JSONValue.self, from: try AtomicFile.read(path), path: path)))
    }
    let evidence = try TrainingEvidence(description, weights: checkpoint.weightsDigest, metrics: metrics, corpus: corpus, reports: reports)
    let provenance = Provenance(
      tool: CorpusManifest.toolVersion,
      corpus: .init(
        name: corpus.manifest.name, manifestSHA256: description.corpus, recipeSHA256: corpus.manifest.recipeSHA256,
        sources: corpus.manifest.sources),
      checkpoint: .init(file: path.nameInPath, sha256: try Checksum.sha256(file: path), step: description.step),
      recipe: recipe, seed: recipe.seed, publishedOn: machine, cuesSHA256: cues.map(Checksum.sha256), commit: commit, date: date)

    try SafeTensors.write(ModelWeights.trunkEntries(checkpoint.weights, step: description.step), to: ModelFile.trunk.path(in: folder))
    try SafeTensors.write(ModelWeights.headEntries(checkpoint.weights), to: ModelFile.head.path(in: folder))
    let reference = try ReferenceActivations(graph, scaling: description.scaling, weights: checkpoint.weights)
    try SafeTensors.write(reference.entries, to: ModelFile.reference.path(in: folder))
    try AtomicFile.write(CanonicalJSON.data(configuration), to: ModelFile.configuration.path(in: folder))
    try AtomicFile.write(CanonicalJSON.data(provenance), to: ModelFile.provenance.path(in: folder))
    try AtomicFile.write(CanonicalJSON.data(recipe), to: ModelFile.recipe.path(in: folder))
    let isWithheld = evidence.cues.map { !$0.withheld.isEmpty } ?? false
    let lines = try metrics.map { metric throws(InputError) in
      try CanonicalJSON.data(metric.told(withholding: isWithheld), pretty: false) + Data("\n".utf8)
    }
    try AtomicFile.write(lines.reduce(Data(), +), to: ModelFile.metrics.path(in: folder))
    try AtomicFile.write(Data(license.document(for: name).utf8), to: ModelFile.license.path(in: folder))
    let trunkCount = checkpoint.weights.slots.filter { $0.path.hasPrefix(ModelGraph.prefix) }.reduce(0) { $0 + $1.shape.count }
    let card = ModelCard(
      configuration: configuration, provenance: provenance, evidence: evidence, manifest: corpus.manifest, task: graph.task,
      parameterCount: trunkCount)
    try AtomicFile.write(Data(card.text.utf8), to: ModelFile.card.path(in: folder))
  }

  /// The corpus of the run, with the very manifest that it was trained on.
  private func openCorpus(of description: Checkpoint.Description, run: RunFolder) throws(InputError) -> Corpus {
    let folder = corpus ?? description.recipe.corpus
    let found = try Corpus(opening: folder), digest = try Checksum.sha256(file: folder + "/manifest.json")
    guard digest == description.corpus else {
      throw InputError(
        path: folder + "/manifest.json", place: "", expected: "SHA-256 \(description.corpus), the corpus of \(run.path)", found: digest)
    }
    return found
  }

  private func sources(_ corpus: Corpus) throws(InputError) -> [ModelConfiguration.Source] {
    let path = corpus.folder + "/recipe.yaml", digest = try Checksum.sha256(file: path)
    guard digest == corpus.manifest.recipeSHA256 else {
      throw InputError(path: path, place: "", expected: "SHA-256 \(corpus.manifest.recipeSHA256)", found: digest)
    }
    let recipe = try CorpusRecipe(reading: path)
    return try corpus.manifest.sources.map { source throws(InputError) in
      guard let own = recipe.sources.first(where: { $0.name == source.name }) else {
        throw InputError(path: path, place: "sources", expected: "source \(source.name) of the manifest", found: "none")
      }
      return ModelConfiguration.Source(
        name: source.name, detector: source.detector, unit: source.unit, tone: own.tone ?? recipe.tone, transforms: source.transforms)
    }
  }
}
