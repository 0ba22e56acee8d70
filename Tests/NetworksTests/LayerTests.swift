import Graphs
import Networks
import Tensors
import Testing

@Test func convolutionsHaveTheWeightsOfPyTorch() {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training), x = builder.input("x", [2, 12, 8, 8])
  let depthwise = Conv2D(12, groups: 12)(x, in: scope["depthwise"])
  let grouped = Conv2D(8, kernel: 1, groups: 4, bias: true)(x, in: scope["grouped"])
  let up = ConvTranspose2D(5)(x, in: scope["up"])
  #expect([depthwise, grouped, up].map(\.shape) == [[2, 12, 8, 8], [2, 8, 8, 8], [2, 5, 16, 16]])
  let shapes = Dictionary(uniqueKeysWithValues: scope.parameters.map { ($0.path, $0.value.shape) })
  #expect(shapes == [
    "depthwise.weight": [12, 1, 3, 3], "grouped.weight": [8, 3, 1, 1], "grouped.bias": [8], "up.weight": [12, 5, 2, 2], "up.bias": [5],
  ])
}

@Test func dropoutDrawsAnotherMaskAtEveryPlaceAndUse() throws {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .training), x = builder.input("x", [4, 100])
  let left = [Dropout(0.5)(x, in: scope["a"]), Dropout(0.5)(x, in: scope["b"]), Dropout(0.5)(x, in: scope["a"])]
  #expect(Array(scope.inputs.keys) == ["counter"])
  let counter = try MaskCounter(seed: 1, step: 2).tensor.map(Double.init)
  let masks = interpret(left, feeding: [(x, Tensor(repeating: 1, [4, 100])), (scope.counter, counter)])
  for (a, b) in [(0, 1), (0, 2), (1, 2)] {
    #expect(abs(zip(masks[a].elements, masks[b].elements).count { $0 == $1 } - 200) < 50)
  }
}

@Test func regularisationIsNothingInInference() {
  let builder = GraphBuilder(), scope = Scope(builder, mode: .inference), x = builder.input("x", [4, 6])
  var random = Philox(seed: 1)
  let numbers = Tensor<Double>([4, 6], (0..<24).map { _ in random.normal() })
  let left = interpret([Dropout(0.5)(x, in: scope["a"]), DropPath(0.9)(x, in: scope["b"])], feeding: [(x, numbers)])
  #expect(left == [numbers, numbers])
  #expect(scope.inputs.isEmpty)
}
