import Graphs

/// A configuration that, called on a value inside a scope, adds nodes and parameters to the graph.
public protocol Layer: Codable, Hashable, Sendable {
  func callAsFunction(_ x: Value, in scope: Scope) -> Value
}
