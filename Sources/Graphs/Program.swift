import Tensors

/// What is to be computed from a graph: fed fields and parameters in; outputs, gradients and new statistics out.
///
/// The same program runs on the reference interpreter and on a compiled plan.
public struct Program {
  public let inputs: [String: Value]
  public let parameters: [Parameter]
  public let outputs: [String: Value]
  /// ∂loss/∂parameter by path, for every trainable parameter; empty without a loss.
  public let gradients: [String: Value]
  /// New values of statistics by path; empty in inference.
  public let updates: [String: Value]

  /// - Parameter loss: where given, gradients of it with respect to all trainable parameters are part of the program.
  public init(
    inputs: [String: Value], parameters: [Parameter], outputs: [String: Value], minimizing loss: Value? = nil,
    updates: [String: Value] = [:]
  ) {
    self.inputs = inputs
    self.parameters = parameters
    self.outputs = outputs
    self.updates = updates
    if let loss {
      let trainable = parameters.filter { $0.role == .trainable }
      let values = Graphs.gradients(of: loss, withRespectTo: trainable.map(\.value))
      gradients = Dictionary(uniqueKeysWithValues: zip(trainable.map(\.path), values))
    } else {
      gradients = [:]
    }
  }

  /// Runs on the reference interpreter; results by kind and name as a compiled plan would give them.
  public func interpreted(_ batch: [String: Tensor<Double>], _ weights: [String: Tensor<Double>])
    -> (outputs: [String: Tensor<Double>], gradients: [String: Tensor<Double>], updates: [String: Tensor<Double>])
  {
    let feeds =
      inputs.map { name, value in
        guard let tensor = batch[name] else { preconditionFailure("no field \(name) in the batch") }
        return (value, tensor)
      } + parameters.compactMap { parameter in weights[parameter.path].map { (parameter.value, $0) } }
    let groups = [outputs, gradients, updates].map { $0.sorted { $0.key < $1.key } }
    let results = interpret(groups.flatMap { $0.map(\.value) }, feeding: feeds)
    var cursor = 0
    func take(_ group: [(key: String, value: Value)]) -> [String: Tensor<Double>] {
      defer { cursor += group.count }
      return Dictionary(uniqueKeysWithValues: zip(group.map(\.key), results[cursor..<cursor + group.count]))
    }
    return (take(groups[0]), take(groups[1]), take(groups[2]))
  }
}
