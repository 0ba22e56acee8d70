/// What a checked folder holds, in a few lines.
public struct ModelSummary: Codable, Hashable, Sendable {
  public var folder: String
  public var name: String
  public var architecture: String
  /// Numbers in a codeword.
  public var codeword: Int
  public var side: Int
  public var task: String
  public var step: Int
  public var corpus: String
  /// Numbers in the trunk.
  public var parameters: Int

  public var text: String {
    """
    \(folder): \(name), \(architecture), \(parameters) numbers, \(side)×\(side) -> \(codeword)
    task \(task), step \(step), corpus \(corpus)
    checksums, tensors, configuration and reference activations agree
    """
  }
}

extension PublishedModel {
  public var summary: ModelSummary {
    ModelSummary(
      folder: folder, name: name, architecture: configuration.architecture, codeword: configuration.featureCount, side: side,
      task: configuration.meaning.task.name, step: configuration.meaning.step, corpus: provenance.corpus.name,
      parameters: weights.storage.count)
  }
}
