import Graphs
import Host
import Networks
import Tensors

/// A safetensors file under torchvision's, timm's or segmentation_models_pytorch's names as the start of a backbone.
public struct InitialWeights: Sendable, CustomStringConvertible {
  public let path: String
  /// Arrays that were taken, under the file's names.
  public let taken: Int
  /// Arrays of the file that the backbone has no use for: classifier, step counters of batch normalisations, omitted branches.
  public let leftOut: [String]

  /// Copies the file into the parameters of `weights` under `backbone.`; the others stay as they are.
  ///
  /// The file has to hold every parameter of the backbone, as F32, in its shape, and may hold the classifier, normalisations'
  /// step counters and the branches that the settings omit. Throws one error that names all arrays that are missing, unexpected
  /// or of another shape; nothing is copied then.
  init(reading path: String, for backbone: any Backbone, into weights: inout Weights) throws(InputError) {
    let prefix = "backbone.", contents = try SafeTensors.read(path)
    let own = weights.slots.filter { $0.path.hasPrefix(prefix) }.map { (name: String($0.path.dropFirst(prefix.count)), shape: $0.shape) }
    let names = Set(own.map(\.name))
    let leftOut = contents.tensors.keys.filter { name in
      if names.contains(name) { return false }
      if let norm = name.without(suffix: "num_batches_tracked") { return names.contains(norm + "running_mean") || backbone.omits(name) }
      return backbone.omits(name)
    }
    let rest = contents.tensors.filter { !leftOut.contains($0.key) }
    do {
      try SafeTensors.match(expected: own, found: .init(path: path, tensors: rest, metadata: contents.metadata))
    } catch {
      let first = own.first?.shape, given = own.first.flatMap { contents.tensors[$0.name]?.shape }
      let otherInputs = first?.rank == 4 && given?.rank == 4 && first?[1] != given?[1]
      let hint = otherInputs ? " (\(given![1]) input channels; the setting inputs: \(given![1]) of the backbone asks for them)" : ""
      throw InputError(path: path, place: error.place, expected: "the tensors of \(type(of: backbone).name)", found: error.found + hint)
    }
    var copy = weights
    for (name, _) in own {
      let values = try contents.floats(name)
      if let index = values.elements.firstIndex(where: { !$0.isFinite }) {
        throw InputError(path: path, place: "\(name), element \(index)", expected: "a finite number", found: "\(values.elements[index])")
      }
      copy[prefix + name] = values
    }
    weights = copy
    self.path = path
    taken = own.count
    self.leftOut = leftOut.sorted()
  }

  public var description: String {
    let rest = leftOut.filter { !$0.hasSuffix("num_batches_tracked") }
    return "starts from \(path): \(taken) arrays" + (rest.isEmpty ? "" : "; left out: \(rest.joined(separator: ", "))")
  }
}

extension Backbone {
  /// Whether an array of this name belongs to a part of the network that the trunk does without.
  fileprivate func omits(_ name: String) -> Bool {
    name == classifierName + ".weight" || name == classifierName + ".bias" || omittedParts.contains { name.hasPrefix($0) }
  }
}

extension String {
  /// What stands before `suffix`; `nil` where it is not there.
  fileprivate func without(suffix: String) -> String? { hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil }
}
