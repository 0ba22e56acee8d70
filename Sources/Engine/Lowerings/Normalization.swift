import Graphs

extension Normalization: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let x = try l.readActivation(inputs[0]), given = inputs.count == 5
    let forward = try PrimitiveDescriptor.normalization(
      x.descriptor, epsilon: epsilon, rectifies: rectifies && limit == nil, given: given, l.library, node: l.node)
    let y = l.newBuffer(x.descriptor)
    var arguments: [(Argument, Lowering.Location)] = [
      (.source, x), (.scale, try l.readPlain(inputs[1])), (.shift, try l.readPlain(inputs[2])), (.destination, y),
    ]
    if given {
      arguments += [(.mean, try l.readPlain(inputs[3])), (.variance, try l.readPlain(inputs[4]))]
    } else {
      for (argument, output) in [(Argument.mean, outputs[1]), (.variance, outputs[2])] {
        let statistic = l.newBuffer(.plain(l.shape(of: output)))
        arguments.append((argument, statistic))
        l.place(output, at: statistic)
      }
    }
    let workspace = forward.layout(.workspace).map(l.newBuffer)
    if let workspace { arguments.append((.workspace, workspace)) }
    l.emit(forward, arguments)
    if let limit { try l.clip(y, to: y, at: limit) }
    l.place(outputs[0], at: y)
    l.remember(.init(descriptor: forward, workspace: workspace), of: outputs[0])
  }
}

extension NormalizationGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let hint = l.forward(of: inputs[4]), x = try l.readActivation(inputs[0])
    let backward = try PrimitiveDescriptor.normalizationGradient(
      x.descriptor, epsilon: forward.epsilon, rectifies: forward.rectifies && forward.limit == nil, given: !usesBatchStatistics,
      forward: hint.descriptor, l.library, node: l.node)
    var dy = try l.read(inputs[5], as: x.descriptor)
    if let limit = forward.limit {
      let passed = l.newBuffer(x.descriptor)
      try l.clipGradient(try l.read(inputs[4], as: x.descriptor), dy, to: passed, at: limit)
      dy = passed
    }
    let made = [l.newBuffer(x.descriptor), l.newBuffer(.plain(l.shape(of: outputs[1]))), l.newBuffer(.plain(l.shape(of: outputs[2])))]
    var arguments: [(Argument, Lowering.Location)] = [
      // oneDNN 2.6 asks for the shift of the forward pass here too, and does not use it: any array of that size will do.
      (.source, x), (.scale, try l.readPlain(inputs[1])), (.shift, try l.readPlain(inputs[1])), (.mean, try l.readPlain(inputs[2])),
      (.variance, try l.readPlain(inputs[3])), (.destinationGradient, dy),
      (.sourceGradient, made[0]), (.scaleGradient, made[1]), (.shiftGradient, made[2]),
    ]
    if let workspace = hint.workspace { arguments.append((.workspace, workspace)) }
    l.emit(backward, arguments)
    for (output, location) in zip(outputs, made) { l.place(output, at: location) }
  }
}

extension RunningAverage: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let keep = Float(1 - momentum), take = Float(momentum * correction)
    try l.emitKernel(inputs, outputs) { x in [zip(x[0], x[1]).map { keep * $0 + take * $1 }] }
  }
}
