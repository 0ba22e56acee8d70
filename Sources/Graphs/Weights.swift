import Tensors

/// All numbers of a network in one contiguous array, addressed by dotted path.
///
/// One array makes the optimiser one loop and a checkpoint one write.
public struct Weights: Sendable, Equatable {
  public struct Slot: Equatable, Sendable {
    public let path: String
    public let offset: Int
    public let shape: Shape
    public let role: Parameter.Role
    public var range: Range<Int> { offset..<offset + shape.count }
  }

  /// In the order in which the network asked for them.
  public let slots: [Slot]
  public var storage: [Float]
  private let index: [String: Int]

  /// Zeros, laid out for `parameters`. Traps when a path occurs twice.
  public init(_ layout: [(path: String, shape: Shape, role: Parameter.Role)]) {
    var slots: [Slot] = [], index: [String: Int] = [:], offset = 0
    for (path, shape, role) in layout {
      precondition(index[path] == nil, "parameter \(path) is laid out twice")
      index[path] = slots.count
      slots.append(Slot(path: path, offset: offset, shape: shape, role: role))
      offset += shape.count
    }
    self.slots = slots
    self.index = index
    storage = Array(repeating: 0, count: offset)
  }

  public init(_ parameters: [Parameter]) {
    self.init(parameters.map { ($0.path, $0.value.shape, $0.role) })
  }

  public func slot(_ path: String) -> Slot? { index[path].map { slots[$0] } }

  /// The array at `path`; traps where there is none.
  public subscript(path: String) -> Tensor<Float> {
    get {
      guard let slot = slot(path) else { preconditionFailure("no parameter \(path)") }
      return Tensor(slot.shape, Array(storage[slot.range]))
    }
    set {
      guard let slot = slot(path) else { preconditionFailure("no parameter \(path)") }
      precondition(slot.shape == newValue.shape, "\(path) is \(slot.shape), set to \(newValue.shape)")
      storage.replaceSubrange(slot.range, with: newValue.elements)
    }
  }
}
