import Engine
import Graphs
import Host
import Pretexts
import Tensors
import Training

/// `reference.safetensors`: eight pictures of noise and what the network makes of them, so that whoever loads the weights,
/// with whatever software, can tell whether the network is the same.
///
/// `picture [8,S,S]` (tone-mapped units), `weight [8,S,S]`, `input [8,1,S,S]` (the picture scaled, gaps 0), `codeword [8,D]`,
/// `stage.1`, … `[8,C]` (means over the picture) and `logits` (the head, with every picture field of the task showing `input`).
/// All float32, computed in inference mode and float32.
struct ReferenceActivations {
  static let count = 8
  /// The largest difference that counts as the same, as a share of the largest magnitude in the array. Float32 sums in another
  /// order, on another machine or in another library, differ by some 1e-6; a wrong padding or epsilon by far more than 1e-4.
  static let tolerance: Float = 1e-4
  /// The same for logits, which may be small differences of large scores.
  static let logitTolerance: Float = 1e-3

  let picture: Tensor<Float>
  let weight: Tensor<Float>
  let input: Tensor<Float>
  /// `codeword`, `stage.n` and `logits`.
  let activations: [String: Tensor<Float>]

  /// Draws normal noise of the corpus's mean and deviation, a tenth of it in gaps or below the least weight that counts.
  init(_ graph: ModelGraph, scaling: InputScaling, weights: Weights) throws(EngineError) {
    var random = Philox(seed: 0).keyed("reference activations")
    let shape: Shape = [Self.count, graph.side, graph.side]
    var picture = Tensor<Float>(repeating: 0, shape), weight = picture
    for i in picture.elements.indices {
      let value = random.normal(scaling.mean, scaling.deviation), kind = random.uniform()
      weight.elements[i] = kind <= 0.05 ? 0 : kind <= 0.1 ? Float(scaling.minimumWeight / 2) : 1
      picture.elements[i] = kind <= 0.05 ? 0 : Float(value)
    }
    (self.picture, self.weight) = (picture, weight)
    input = Self.scaled(picture, weight, scaling)
    activations = try Self.activations(graph, weights, of: input)
  }

  /// Reads the file; throws unless it holds exactly the arrays that `graph` has, all finite.
  init(_ graph: ModelGraph, in folder: String) throws(InputError) {
    let contents = try ModelWeights.contents(ModelFile.reference.path(in: folder))
    let outputs = graph.trunk(batch: Self.count).outputs.merging(graph.task(batch: Self.count).outputs) { own, _ in own }
    let pictures: Shape = [Self.count, graph.side, graph.side], input: Shape = [Self.count, 1, graph.side, graph.side]
    let shapes = outputs.mapValues(\.shape).merging(["picture": pictures, "weight": pictures, "input": input]) { own, _ in own }
    try SafeTensors.match(expected: shapes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, found: contents)
    picture = try ModelWeights.numbers("picture", in: contents)
    weight = try ModelWeights.numbers("weight", in: contents)
    self.input = try ModelWeights.numbers("input", in: contents)
    var activations: [String: Tensor<Float>] = [:]
    for name in outputs.keys.sorted() { activations[name] = try ModelWeights.numbers(name, in: contents) }
    self.activations = activations
  }

  var entries: [SafeTensors.Entry] {
    activations.merging(["picture": picture, "weight": weight, "input": input]) { own, _ in own }
      .sorted { $0.key < $1.key }.map { SafeTensors.Entry(name: $0.key, $0.value) }
  }

  /// Throws unless scaling and network turn the stored pictures into the stored input and activations.
  ///
  /// - Parameter batch: how many pictures are shown at once. Another number than 8 compiles another plan, and shows that no
  ///   picture's result depends on its neighbours.
  func check(_ graph: ModelGraph, _ scaling: InputScaling, _ weights: Weights, batch: Int = count, path: String) throws {
    try compare(Self.scaled(picture, weight, scaling), input, "input", path)
    for start in stride(from: 0, to: Self.count, by: batch) {
      // The last batch is filled with pictures of the one before.
      let first = min(start, Self.count - batch)
      let found = try Self.activations(graph, weights, of: rows(input, first, batch))
      for (name, tensor) in found.sorted(by: { $0.key < $1.key }) {
        try compare(tensor, rows(activations[name]!, first, batch), name, path)
      }
    }
    let codewords = activations["codeword"]!
    guard (1..<Self.count).contains(where: { codewords[first: $0] != codewords[first: 0] }) else {
      throw InputError(path: path, place: "codeword", expected: "different codewords of different pictures", found: "one for all: a dead network")
    }
  }

  private func compare(_ found: Tensor<Float>, _ expected: Tensor<Float>, _ name: String, _ path: String) throws(InputError) {
    let largest = expected.elements.reduce(0) { max($0, abs($1)) }
    let tolerance = name.hasPrefix("logits") ? Self.logitTolerance : Self.tolerance
    var worst: Float = 0, place = 0
    for (i, (a, b)) in zip(found.elements, expected.elements).enumerated() {
      // Not-a-number compares false with everything and must not pass.
      let difference = abs(a - b).isNaN ? .infinity : abs(a - b)
      if difference > worst { (worst, place) = (difference, i) }
    }
    guard worst <= tolerance * largest else {
      throw InputError(
        path: path, place: "\(name), element \(place)",
        expected: "\(expected.elements[place]) within \(tolerance) of the largest magnitude, \(largest)",
        found: "\(found.elements[place]) from the stored weights")
    }
  }

  private static func activations(_ graph: ModelGraph, _ weights: Weights, of input: Tensor<Float>) throws(EngineError)
    -> [String: Tensor<Float>]
  {
    let means = try graph.means(ModelWeights.part(of: weights, for: graph.trunk(batch: 1).parameters), of: input)
    let logits = try Plan(graph.task(batch: input.shape[0]), precision: .float32).evaluate(graph.fields(showing: input), weights)
    return means.merging(logits) { own, _ in own }
  }

  private static func scaled(_ picture: Tensor<Float>, _ weight: Tensor<Float>, _ scaling: InputScaling) -> Tensor<Float> {
    Tensor.stacked(
      (0..<picture.shape[0]).map { scaling.channel(MaskedImage(pixels: picture[first: $0], weight: weight[first: $0])) })
  }
}

private func rows(_ tensor: Tensor<Float>, _ first: Int, _ count: Int) -> Tensor<Float> {
  let rest = tensor.shape.extents.dropFirst(), width = rest.reduce(1, *)
  return Tensor(Shape([count] + rest), Array(tensor.elements[first * width..<(first + count) * width]))
}
