import Foundation
import Graphs

extension CrossEntropy: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    guard l.shape(of: inputs[0]).rank == 2 else { throw .unsupported("the engine has no cross-entropy per pixel") }
    let classes = l.shape(of: inputs[0])[1]
    try l.emitKernel(inputs, outputs) { x in
      [stride(from: 0, to: x[0].count, by: classes).map { start in
        let z = x[0][start..<start + classes], top = z.max()!
        let logSum = top + log(z.reduce(0) { $0 + exp($1 - top) })
        return zip(z, x[1][start..<start + classes]).reduce(0) { $0 + $1.1 * (logSum - $1.0) }
      }]
    }
  }
}

extension CrossEntropyGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    guard l.shape(of: inputs[0]).rank == 2 else { throw .unsupported("the engine has no cross-entropy per pixel") }
    let classes = l.shape(of: inputs[0])[1]
    try l.emitKernel(inputs, outputs) { x in
      var dz = x[0]
      for n in 0..<x[2].count {
        let row = n * classes..<(n + 1) * classes, top = x[0][row].max()!
        let total = x[0][row].reduce(0) { $0 + exp($1 - top) }, mass = x[1][row].reduce(0, +)
        for i in row { dz[i] = x[2][n] * (mass * exp(x[0][i] - top) / total - x[1][i]) }
      }
      return [dz]
    }
  }
}

extension BinaryCrossEntropy: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitKernel(inputs, outputs) { x in
      [zip(x[0], x[1]).map { z, t in max(z, 0) + log1p(exp(-abs(z))) - t * z }]
    }
  }
}

extension BinaryCrossEntropyGradient: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    try l.emitKernel(inputs, outputs) { x in
      [x[0].indices.map { x[2][$0] * (1 / (1 + exp(-x[0][$0])) - x[1][$0]) }]
    }
  }
}
