import Graphs
import Tensors

extension Concatenate: Lowerable {
  /// Along the first two axes blocks of 16 channels stay as they are: whatever follows an index of the axis is one stretch.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let whole = l.shape(of: outputs[0]), rows = whole.extents.prefix(axis).reduce(1, *)
    let isNarrow = inputs.contains { l.location(of: $0).descriptor.number == .bfloat16 }
    let number: Descriptor.Number = isNarrow ? .bfloat16 : .float32
    let isBlocked = axis < 2 && inputs.contains(where: l.isBlocked) && inputs.allSatisfy { l.shape(of: $0)[1] % 16 == 0 }
    func layout(_ shape: Shape) -> Descriptor { isBlocked ? .blocked(shape, number) : .plain(shape, number) }
    var places: [Lowering.Location] = []
    for input in inputs { places.append(try l.read(input, as: layout(l.shape(of: input)))) }
    let y = l.newBuffer(layout(whole))
    l.emit(.joined(rows: rows, widths: inputs.map { l.shape(of: $0).count / rows * number.byteCount }), places + [y])
    l.place(outputs[0], at: y)
  }
}

extension Slice: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let whole = l.shape(of: inputs[0]), part = l.shape(of: outputs[0]), rows = whole.extents.prefix(axis).reduce(1, *)
    let number = l.location(of: inputs[0]).descriptor.number
    let fits = axis == 0 || (axis == 1 && range.lowerBound % 16 == 0 && range.count % 16 == 0)
    let isBlocked = fits && l.isBlocked(inputs[0]) && whole[1] % 16 == 0
    func layout(_ shape: Shape) -> Descriptor { isBlocked ? .blocked(shape, number) : .plain(shape, number) }
    let x = try l.read(inputs[0], as: layout(whole)), y = l.newBuffer(layout(part))
    let width = whole.count / rows * number.byteCount
    l.emit(
      .cut(rows: rows, whole: width, offset: width / whole[axis] * range.lowerBound, width: width / whole[axis] * range.count),
      [x, y])
    l.place(outputs[0], at: y)
  }
}

extension Lowering {
  /// Whether a value was made in blocks of 16 channels; the last may be filled up with zeros.
  func isBlocked(_ value: GraphBuilder.ID) -> Bool {
    let shape = shape(of: value), descriptor = location(of: value).descriptor
    return shape.rank == 4 && descriptor == .blocked(shape, descriptor.number)
  }

  /// A picture as a loop may walk over it: in blocks of 16 channels where it was made so, else row-major; with the numbers at a place.
  func readWalkable(_ value: GraphBuilder.ID) throws(EngineError) -> (location: Location, lanes: Int) {
    if isBlocked(value) { return (location(of: value), 16) }
    return (try read(value, as: .plain(shape(of: value), location(of: value).descriptor.number)), 1)
  }

  func newWalkable(_ shape: Shape, lanes: Int, _ number: Descriptor.Number) -> Location {
    newBuffer(lanes == 16 ? .blocked(shape, number) : .plain(shape, number))
  }
}

extension Descriptor.Number {
  var byteCount: Int { self == .bfloat16 ? 2 : 4 }
}
