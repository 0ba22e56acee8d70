import Foundation
import Graphs
import Tensors

extension Literal: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let numbers = tensor.elements.map { Float($0) }
    try l.emitKernel(inputs, outputs) { _ in [numbers] }
  }
}

extension Detach: Lowerable {
  /// The same memory: no work.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    l.place(outputs[0], at: l.location(of: inputs[0]))
  }
}

extension Power: Lowerable {
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let exponent = Float(exponent)
    try l.emitKernel(inputs, outputs) { x in [x[0].map { pow($0, exponent) }] }
  }
}

extension BalancedAssignment: Lowerable {
  /// In double precision: a few thousand numbers.
  func lower(_ inputs: [GraphBuilder.ID], _ outputs: [GraphBuilder.ID], in l: Lowering) throws(EngineError) {
    let shape = l.shape(of: inputs[0])
    try l.emitKernel(inputs, outputs) { x in
      [shares(of: x[0].map(Double.init), rows: shape[0], columns: shape[1]).map { Float($0) }]
    }
  }
}
