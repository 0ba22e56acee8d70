import Tensors

/// Builds a graph node by node; every shape is checked as it is added.
public final class GraphBuilder {
  package struct Node {
    package let operation: any Operation
    package let inputs: [ID]
    package let shapes: [Shape]
    package let label: String
  }

  package struct ID: Hashable, Comparable {
    package let node: Int
    package let output: Int
    package init(node: Int, output: Int) {
      self.node = node
      self.output = output
    }
    package static func < (a: ID, b: ID) -> Bool { (a.node, a.output) < (b.node, b.output) }
  }

  package private(set) var nodes: [Node] = []

  public init() {}

  /// A value supplied at run time: a batch field or a parameter.
  public func input(_ label: String, _ shape: Shape) -> Value {
    append(Placeholder(shape: shape), [], label)[0]
  }

  /// Adds a node. Traps, naming `label` and all shapes, when the inputs do not fit.
  public func append(_ operation: some Operation, _ inputs: [Value], _ label: String = "") -> [Value] {
    let shapes: [Shape]
    do { shapes = try operation.outputShapes(inputs.map(\.shape)) } catch {
      preconditionFailure("\(label.isEmpty ? "graph" : label): \(type(of: operation)): \(error)")
    }
    precondition(inputs.allSatisfy { $0.builder === self }, "\(label): a value of another graph")
    nodes.append(Node(operation: operation, inputs: inputs.map(\.id), shapes: shapes, label: label))
    return shapes.indices.map { Value(builder: self, id: ID(node: nodes.count - 1, output: $0)) }
  }
}

/// A handle to one output of one node. Values are cheap to copy and only meaningful while building.
public struct Value {
  package let builder: GraphBuilder
  package let id: GraphBuilder.ID
  package init(builder: GraphBuilder, id: GraphBuilder.ID) {
    self.builder = builder
    self.id = id
  }
  public var shape: Shape { builder.nodes[id.node].shapes[id.output] }
}

/// A value that is fed, not computed.
package struct Placeholder: Operation {
  let shape: Shape
  package func outputShapes(_: [Shape]) -> [Shape] { [shape] }
  package func reference(_: [Tensor<Double>]) -> [Tensor<Double>] {
    preconditionFailure("a placeholder of shape \(shape) was not fed")
  }
  package func gradients(_: GradientContext) -> [Value?] { [] }
}

extension Value {
  /// Appends an operation whose first input is this value.
  public func appended(_ operation: some Operation, _ others: [Value] = []) -> [Value] {
    builder.append(operation, [self] + others)
  }

  /// A constant in the graph of this value.
  public func constant(_ value: Double, _ shape: Shape) -> Value { builder.append(Fill(value, shape), [])[0] }
}
