import Graphs
import Tensors

extension Resize: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let (rows, columns) = axes(l.shape(of: inputs[0]))
    try l.lowerResampling(inputs[0], to: outputs[0], rows, columns)
  }

  fileprivate func axes(_ image: Shape) -> (rows: AxisTaps, columns: AxisTaps) {
    func axis(_ from: Int, _ to: Int) -> AxisTaps { AxisTaps(from: from, to: to) { taps($0, from: from, to: to) } }
    return (axis(image[2], size[0]), axis(image[3], size[1]))
  }
}

extension ResizeGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let (rows, columns) = forward.axes(shape)
    try l.lowerResampling(inputs[0], to: outputs[0], rows.transposed, columns.transposed)
  }
}

extension AdaptiveAverage: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let (rows, columns) = axes(l.shape(of: inputs[0]))
    try l.lowerResampling(inputs[0], to: outputs[0], rows, columns)
  }

  fileprivate func axes(_ image: Shape) -> (rows: AxisTaps, columns: AxisTaps) {
    func axis(_ from: Int, _ to: Int) -> AxisTaps {
      AxisTaps(from: from, to: to) {
        let window = AdaptiveAverage.window($0, of: to, over: from)
        return window.map { ($0, 1 / Double(window.count)) }
      }
    }
    return (axis(image[2], size[0]), axis(image[3], size[1]))
  }
}

extension AdaptiveAverageGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let (rows, columns) = forward.axes(shape)
    try l.lowerResampling(inputs[0], to: outputs[0], rows.transposed, columns.transposed)
  }
}

extension Lowering {
  /// Keeps layout and number type.
  fileprivate func lowerResampling(
    _ input: GraphBuilder.ID, to output: GraphBuilder.ID, _ rows: AxisTaps, _ columns: AxisTaps
  ) throws(EngineError) {
    let (x, lanes) = try readWalkable(input), number = x.descriptor.number, made = shape(of: output)
    let y = newWalkable(made, lanes: lanes, number)
    emit(.resampled(planes: made[0] * ((made[1] + lanes - 1) / lanes), lanes: lanes, number, rows: rows, columns: columns), [x, y])
    place(output, at: y)
  }
}
