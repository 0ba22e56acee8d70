import Graphs
import Host
import Tensors
import Training

/// Weights of the program as the two files of a published folder, and back.
enum ModelWeights {
  /// The trunk under torchvision's names, with the step counter that PyTorch keeps for every batch normalisation.
  static func trunkEntries(_ weights: Weights, step: Int) -> [SafeTensors.Entry] {
    let own = weights.slots.filter { $0.path.hasPrefix(ModelGraph.prefix) }
    return own.map { SafeTensors.Entry(name: published($0.path), weights[$0.path]) }
      + counters(own.map(\.path)).map { SafeTensors.Entry(name: $0, Tensor<Int64>([], [Int64(step)])) }
  }

  /// Everything that is not the trunk.
  static func headEntries(_ weights: Weights) -> [SafeTensors.Entry] {
    weights.slots.filter { !$0.path.hasPrefix(ModelGraph.prefix) }.map { SafeTensors.Entry(name: $0.path, weights[$0.path]) }
  }

  /// Reads both files into the layout of `graph`.
  ///
  /// Throws, naming the tensor, when one is missing, extra, of another shape or type, holds a number that is not finite,
  /// a negative variance, or a step counter other than `step`. Shapes are compared before anything is allocated.
  static func read(_ graph: ModelGraph, step: Int, in folder: String) throws(InputError) -> Weights {
    let program = graph.task(batch: 1), parameters = program.parameters
    let trunkPath = ModelFile.trunk.path(in: folder), headPath = ModelFile.head.path(in: folder)
    let own = parameters.filter { $0.path.hasPrefix(ModelGraph.prefix) }
    let rest = parameters.filter { !$0.path.hasPrefix(ModelGraph.prefix) }
    let trunk = try contents(trunkPath), head = try contents(headPath), counters = counters(own.map(\.path))
    try SafeTensors.match(
      expected: own.map { (published($0.path), $0.value.shape) } + counters.map { ($0, []) }, found: trunk)
    try SafeTensors.match(expected: rest.map { ($0.path, $0.value.shape) }, found: head)

    var weights = Weights(parameters)
    for parameter in own { weights[parameter.path] = try numbers(published(parameter.path), in: trunk) }
    for parameter in rest { weights[parameter.path] = try numbers(parameter.path, in: head) }
    for name in counters {
      let found = try trunk.integers(name).elements[0]
      guard found == Int64(step) else {
        throw InputError(path: trunkPath, place: name, expected: "\(step), the steps of config.json", found: "\(found)")
      }
    }
    return weights
  }

  /// The part of `weights` that `layout` asks for. Traps when there is no such parameter.
  static func part(of weights: Weights, for layout: [Parameter]) -> Weights {
    var part = Weights(layout)
    for slot in part.slots { part[slot.path] = weights[slot.path] }
    return part
  }

  /// A file that says what PyTorch users look for, and nothing else.
  static func contents(_ path: String) throws(InputError) -> SafeTensors.Contents {
    let contents = try SafeTensors.read(path)
    guard contents.metadata == ["format": "pt"] else {
      throw InputError(path: path, place: "__metadata__", expected: "format: pt", found: "\(contents.metadata)")
    }
    return contents
  }

  /// A tensor of finite numbers.
  static func numbers(_ name: String, in contents: SafeTensors.Contents) throws(InputError) -> Tensor<Float> {
    let tensor = try contents.floats(name)
    if let index = tensor.elements.firstIndex(where: { !$0.isFinite }) {
      throw InputError(path: contents.path, place: "\(name), element \(index)", expected: "a finite number", found: "\(tensor.elements[index])")
    }
    if name.hasSuffix("running_var"), let index = tensor.elements.firstIndex(where: { $0 < 0 }) {
      throw InputError(path: contents.path, place: "\(name), element \(index)", expected: "a variance", found: "\(tensor.elements[index])")
    }
    return tensor
  }

  private static func published(_ path: String) -> String { String(path.dropFirst(ModelGraph.prefix.count)) }

  /// `bn1.num_batches_tracked` for `backbone.bn1.running_mean`.
  private static func counters(_ paths: [String]) -> [String] {
    let statistic = "running_mean"
    return paths.filter { $0.hasSuffix("." + statistic) }.map { published(String($0.dropLast(statistic.count))) + "num_batches_tracked" }
  }
}
